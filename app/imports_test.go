package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/tidepool-org/clinic/"

// layers lists, from the outside in, which packages may import which: a package imports only from layers after its own,
// or from its own if that is marked.
var layers = []struct {
	name     string
	prefixes []string
	peers    bool
}{
	{name: "commands", prefixes: []string{"cmd/", "test/"}},
	{name: "operators", prefixes: []string{"app/operator"}},
	{name: "wiring", prefixes: []string{"app"}},
	{name: "face", prefixes: []string{"api"}, peers: true},
	{name: "domain", prefixes: []string{"merge", "clinics", "clinicians", "patients", "roster", "summary", "census", "migration", "redox", "xealth", "auth"}, peers: true},
	{name: "store", prefixes: []string{"store"}},
	{name: "base", prefixes: []string{"config", "internal/errs", "internal/flight", "internal/nonblank", "internal/observe", "internal/platform", "internal/tally", "internal/traces"}, peers: true},
}

func layerOf(pkg string) int {
	for i, layer := range layers {
		for _, prefix := range layer.prefixes {
			if pkg == prefix || strings.HasPrefix(pkg, strings.TrimSuffix(prefix, "/")+"/") {
				return i
			}
		}
	}
	return -1
}

// TestImportsRunOneWay also holds that only package api knows Echo and the generated code, and that what is shipped does
// not import what is for tests.
func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	root := ".."
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		relative, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		pkg := filepath.ToSlash(relative)
		if layerOf(pkg) < 0 {
			return nil
		}
		seen++
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			checkImport(t, path, pkg, name)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, seen, 50)
}

func checkImport(t *testing.T, path, pkg, name string) {
	t.Helper()
	inAPI := pkg == "api" || strings.HasPrefix(pkg, "api/")
	if strings.HasPrefix(name, "github.com/labstack/") || name == module+"api/gen" {
		require.True(t, inAPI, "%s: only package api may import %s", path, name)
	}
	if strings.HasPrefix(name, "go.opentelemetry.io/") {
		require.Equal(t, "internal/traces", pkg, "%s: only package traces may import %s", path, name)
	}
	if strings.HasPrefix(name, "github.com/prometheus/") {
		require.Contains(t, []string{"api", "app", "internal/observe"}, pkg, "%s: domains count in tallies, not in %s", path, name)
	}
	imported, ours := strings.CutPrefix(name, module)
	if !ours {
		return
	}
	if strings.HasPrefix(imported, "internal/testkit") || imported == "test/faults/wire" {
		require.True(t, strings.HasPrefix(pkg, "test/") || pkg == "cmd/devstack", "%s: imports %s, which is for tests", path, name)
		return
	}
	from, to := layerOf(pkg), layerOf(imported)
	if from < 0 || to < 0 {
		return
	}
	if inAPI && pkg == "api/gen" && (imported == "patients" || imported == "summary") {
		return // generated code uses the domain's structs where wire and store agree
	}
	require.True(t, to > from || to == from && layers[from].peers, "%s: %s must not import %s", path, pkg, imported)
}
