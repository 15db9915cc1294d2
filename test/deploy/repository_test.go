package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of the repository.
const root = "../.."

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(content)
}

var variable = regexp.MustCompile("`([A-Z][A-Z0-9_]+)`")

// documented returns the variables that the configuration reference has.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, match := range variable.FindAllStringSubmatch(text(t, "docs/configuration.md"), -1) {
		names[match[1]] = true
	}
	require.Greater(t, len(names), 30)
	return names
}

// rows returns the cells of the first table below a heading of a document, without its head.
func rows(t *testing.T, document, heading string) [][]string {
	t.Helper()
	_, after, found := strings.Cut(text(t, document), "\n"+heading+"\n")
	require.True(t, found, heading)
	var all [][]string
	for line := range strings.Lines(after) {
		switch {
		case strings.HasPrefix(line, "|"):
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			all = append(all, cells)
		case len(all) > 0:
			return all[2:] // head and rule
		}
	}
	require.Greater(t, len(all), 2)
	return all[2:]
}
