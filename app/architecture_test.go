package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/tidepool-org/clinic/"

// order lists the packages from the roof down. A package imports only what stands below it, so there are neither arrows up
// nor circles. What is in folders below a listed one stands with it.
var order = []string{
	"cmd/clinic", "cmd/devstack", "cmd/openapi", "app/operator", "test", "internal/testkit", "app", "api", "api/gen",
	"feed", "redox", "xealth", "merge", "migration", "roster", "patients", "clinicians", "auth", "clinics", "census", "summary",
	"audit", "idempotency", "store", "internal/platform", "internal/traces", "internal/observe", "internal/tally",
	"internal/flight",
	"internal/nonblank", "internal/errs", "config",
}

// apart are folders with a program of their own, which nobody imports.
var apart = []string{"cmd/devdb", "tools", "client", "redox_models", "test/clients", "test/deploy", "docs"}

// Sizes that read well, for code that people write. A test may tell a longer story, or hold a longer table, in one piece.
const (
	maxLines    = 300
	maxBody     = 60
	maxTestBody = 100
	maxExports  = 60
)

// source is a file of the repository.
type source struct {
	path string // from the root, with slashes
	pkg  string
	set  *token.FileSet
	file *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) lines(node ast.Node) int {
	return s.set.Position(node.End()).Line - s.set.Position(node.Pos()).Line + 1
}

// sources returns all files in Go below the root that people write.
func sources(t *testing.T, root string) []source {
	t.Helper()
	var all []source
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." {
			return filepath.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		relative, err := filepath.Rel(root, path)
		require.NoError(t, err)
		if relative = filepath.ToSlash(relative); !ast.IsGenerated(file) {
			all = append(all, source{path: relative, pkg: filepath.ToSlash(filepath.Dir(relative)), set: set, file: file})
		}
		return nil
	}))
	return all
}

// place returns where the package stands in the order, or -1.
func place(pkg string) int {
	best := -1
	for i, listed := range order {
		if (pkg == listed || strings.HasPrefix(pkg, listed+"/")) && (best < 0 || len(listed) > len(order[best])) {
			best = i
		}
	}
	return best
}

func isApart(pkg string) bool {
	return slices.ContainsFunc(apart, func(folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") })
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	all := sources(t, "..")
	require.Greater(t, len(all), 400)
	require.Empty(t, violations(all))
}

// violations returns what is not as it should be, one line each.
func violations(all []source) []string {
	var found []string
	exports := map[string]int{}
	for _, s := range all {
		found = append(found, wrongImports(s)...)
		found = append(found, wrongSizes(s)...)
		if !s.isTest() {
			exports[s.pkg] += len(exported(s.file))
			found = append(found, wrongEmbedding(s)...)
		}
	}
	for pkg, count := range exports {
		if count > maxExports {
			found = append(found, pkg+": "+strconv.Itoa(count)+" exported names")
		}
	}
	slices.Sort(found)
	return found
}

func wrongImports(s source) []string {
	var found []string
	if place(s.pkg) < 0 && !isApart(s.pkg) {
		found = append(found, s.pkg+": has no place in the order")
	}
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if why := refuse(s, name); why != "" {
			found = append(found, s.path+": imports "+name+": "+why)
		}
	}
	return found
}

// knowers are the only packages, tests apart, that may import what the pattern matches.
var knowers = []struct {
	imported *regexp.Regexp
	by       *regexp.Regexp
	why      string
}{
	{regexp.MustCompile(`^github\.com/labstack/|^` + module + `api/gen$`), regexp.MustCompile(`^api(/|$)`), "only api knows Echo and the generated code"},
	{regexp.MustCompile(`^go\.opentelemetry\.io/`), regexp.MustCompile(`^internal/traces$`), "only traces knows OpenTelemetry"},
	{regexp.MustCompile(`^github\.com/prometheus/`), regexp.MustCompile(`^(api|app|internal/observe|test/.*)$`), "domains count in tallies"},
	{regexp.MustCompile(`^` + module + `internal/testkit`), regexp.MustCompile(`^(test/.*|cmd/devstack|internal/testkit(/.*)?)$`), "it is for tests"},
	{regexp.MustCompile(`^net/http$`), regexp.MustCompile(`^(cmd|test|tools|client|api|app|auth|internal|xealth/viewer)(/|$)`), "no domain knows HTTP"},
}

// refuse returns why the file may not import the package, or "".
func refuse(s source, name string) string {
	if s.isTest() {
		return "" // a test may look from wherever it sees most
	}
	for _, k := range knowers {
		if k.imported.MatchString(name) && !k.by.MatchString(s.pkg) {
			return k.why
		}
	}
	imported, ours := strings.CutPrefix(name, module)
	if !ours || isApart(s.pkg) {
		return ""
	}
	if from, to := place(s.pkg), place(imported); to < from || to == from && !strings.HasPrefix(imported, order[from]+"/") {
		return "it does not stand below"
	}
	return ""
}

func wrongSizes(s source) []string {
	var found []string
	if lines := s.set.File(s.file.Pos()).LineCount(); lines > maxLines {
		found = append(found, s.path+": "+strconv.Itoa(lines)+" lines")
	}
	most := maxBody
	if s.isTest() {
		most = maxTestBody
	}
	for _, declared := range s.file.Decls {
		if function, ok := declared.(*ast.FuncDecl); ok && s.lines(function) > most {
			found = append(found, s.path+": "+function.Name.Name+" has "+strconv.Itoa(s.lines(function))+" lines")
		}
	}
	return found
}

// exported returns the names that the file adds to its package.
func exported(file *ast.File) []string {
	var names []string
	add := func(name *ast.Ident) {
		if name.IsExported() {
			names = append(names, name.Name)
		}
	}
	for _, declared := range file.Decls {
		switch declared := declared.(type) {
		case *ast.FuncDecl:
			if declared.Recv == nil {
				add(declared.Name)
			}
		case *ast.GenDecl:
			for _, spec := range declared.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(name)
					}
				}
			}
		}
	}
	return names
}

// wrongEmbedding finds exported structs that embed a pointer to something exported of their own package: its methods could be
// reached by two paths.
func wrongEmbedding(s source) []string {
	var found []string
	ast.Inspect(s.file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || !spec.Name.IsExported() {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range structure.Fields.List {
			pointer, ok := field.Type.(*ast.StarExpr)
			if !ok || len(field.Names) > 0 {
				continue
			}
			if name, ok := pointer.X.(*ast.Ident); ok && name.IsExported() {
				found = append(found, s.path+": "+spec.Name.Name+" exports "+name.Name+" once more")
			}
		}
		return true
	})
	return found
}

// TestArchitecturePageListsThePackages compares the table of packages with the tree, and its order with the imports.
func TestArchitecturePageListsThePackages(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/architecture.md")
	require.NoError(t, err)
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(section(string(page), "## Rooms"), -1) {
		for _, name := range regexp.MustCompile("`(.*?)`").FindAllStringSubmatch(row[1], -1) {
			listed = append(listed, name[1])
		}
	}
	require.Equal(t, append(slices.Clone(order), apart...), listed)
	for _, folder := range listed {
		require.DirExists(t, filepath.Join("..", folder))
	}
}

// section returns the part of a page from a heading to the next of its kind.
func section(page, heading string) string {
	_, after, _ := strings.Cut(page, heading+"\n")
	part, _, _ := strings.Cut(after, "\n## ")
	return part
}
