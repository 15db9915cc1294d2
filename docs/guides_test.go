package docs_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// guides are the documents for those who build on the service, and the operations whose reasons each explains.
var guides = map[string]func(path string, access []string) bool{
	"frontends.md": func(_ string, access []string) bool {
		return slices.ContainsFunc(access, func(who string) bool {
			return slices.Contains([]string{"user", "admin", "member", "self", "self-member"}, who)
		})
	},
	"redox.md":            func(path string, _ []string) bool { return path == "/v1/redox" || path == "/v1/redox/verify" },
	"xealth.md":           func(path string, _ []string) bool { return strings.HasPrefix(path, "/v1/xealth") },
	"backend-services.md": nil,
}

func readGuide(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func interfaceDocument(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile("../api/clinic.v1.yaml")
	require.NoError(t, err)
	return document
}

// extension returns a list of words that stands in the document or an operation.
func extension(extensions map[string]any, name string) []string {
	list, _ := extensions[name].([]any)
	words := make([]string, len(list))
	for i, word := range list {
		words[i], _ = word.(string)
	}
	return words
}

var (
	exampleBlock = regexp.MustCompile("(?s)<!-- example: (\\w+) -->\n```json\n(.*?)```")
	jsonBlock    = regexp.MustCompile("(?m)^```json")
	operation    = regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/v1/[^` ]*)`")
	reasonRow    = regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\|")
	word         = regexp.MustCompile("`([a-z_]+)`")
)

// TestExamplesOfGuidesAreThoseOfTheDocument, which are tried against the service.
func TestExamplesOfGuidesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	document := interfaceDocument(t)
	count := 0
	for name := range guides {
		text := readGuide(t, name)
		blocks := exampleBlock.FindAllStringSubmatch(text, -1)
		require.Len(t, blocks, len(jsonBlock.FindAllString(text, -1)), "%s: each block of JSON says which example it is", name)
		for _, block := range blocks {
			count++
			require.Contains(t, document.Components.Examples, block[1], name)
			want, err := json.Marshal(document.Components.Examples[block[1]].Value.Value)
			require.NoError(t, err)
			require.JSONEq(t, string(want), block[2], "%s: %s", name, block[1])
		}
	}
	require.Greater(t, count, 12)
}

// TestPathsOfGuidesExist holds each operation that a guide names against the document.
func TestPathsOfGuidesExist(t *testing.T) {
	t.Parallel()
	document := interfaceDocument(t)
	count := 0
	for name := range guides {
		for _, named := range operation.FindAllStringSubmatch(readGuide(t, name), -1) {
			count++
			item := document.Paths.Value(named[2])
			require.NotNil(t, item, "%s: %s", name, named[0])
			require.NotNil(t, item.GetOperation(named[1]), "%s: %s", name, named[0])
		}
	}
	require.Greater(t, count, 25)
}

// TestGuidesExplainEveryReason that their readers can get, and no other.
func TestGuidesExplainEveryReason(t *testing.T) {
	t.Parallel()
	document := interfaceDocument(t)
	meanings, ok := document.Extensions["x-reasons"].(map[string]any)
	require.True(t, ok)
	common := extension(document.Extensions, "x-common-reasons")
	for name, concerns := range guides {
		if concerns == nil {
			continue
		}
		explained := map[string]bool{}
		for _, row := range reasonRow.FindAllStringSubmatch(reasonTable(t, name), -1) {
			for _, reason := range word.FindAllStringSubmatch(row[1], -1) {
				require.Contains(t, meanings, reason[1], name)
				require.False(t, explained[reason[1]], "%s explains %s twice", name, reason[1])
				explained[reason[1]] = true
			}
		}
		wanted := map[string]bool{}
		for path, item := range document.Paths.Map() {
			for _, operation := range item.Operations() {
				if !concerns(path, extension(operation.Extensions, "x-access")) {
					continue
				}
				for _, reason := range extension(operation.Extensions, "x-reasons") {
					wanted[reason] = true
					require.True(t, explained[reason], "%s does not explain %s of %s", name, reason, operation.OperationID)
				}
			}
		}
		ofNone := []string{"operation_unknown", "method_not_allowed", "not_found"}
		for reason := range explained {
			require.True(t, wanted[reason] || slices.Contains(common, reason) || slices.Contains(ofNone, reason), "%s explains %s, which its readers never get", name, reason)
		}
	}
}

// reasonTable returns the table whose first column holds reasons.
func reasonTable(t *testing.T, guide string) string {
	t.Helper()
	_, table, found := strings.Cut(readGuide(t, guide), "\n| Reason |")
	require.True(t, found, guide)
	table, _, _ = strings.Cut(table, "\n\n")
	return table
}

// TestGoCodeOfGuidesIsCompiled: each line of a block of Go stands in the client's own documents, whose code is.
func TestGoCodeOfGuidesIsCompiled(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, file := range []string{"../client/doc.go", "../client/example_test.go"} {
		code.WriteString(readGuide(t, file))
	}
	known := map[string]bool{}
	for _, line := range strings.Split(code.String(), "\n") {
		known[strings.TrimSpace(strings.TrimPrefix(line, "//"))] = true
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readGuide(t, "backend-services.md"), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			require.True(t, known[strings.TrimSpace(line)], "%q is no line of the client's documents", line)
		}
	}
}
