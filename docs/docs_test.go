// Package docs_test holds what the documents claim against the repository.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	testName = regexp.MustCompile(`\bTest[A-Z]\w+`)
	fuzzName = regexp.MustCompile(`\bFuzz[A-Z]\w+`)
	link     = regexp.MustCompile(`\]\(([^)#: ]+)\)`)
)

// TestNamedTestsExist: a document that names a test as proof must not outlive it.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	code := readAll(t, "_test.go")
	for path, text := range read(t, ".md") {
		for _, name := range append(testName.FindAllString(text, -1), fuzzName.FindAllString(text, -1)...) {
			require.True(t, strings.Contains(code, "func "+name+"("), "%s names %s", path, name)
		}
	}
}

// TestLinkedFilesExist covers links between files of the repository.
func TestLinkedFilesExist(t *testing.T) {
	t.Parallel()
	for path, text := range read(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])) // a folder is fine, too
			require.NoError(t, err, "linked from %s", path)
		}
	}
}

func readAll(t *testing.T, suffix string) string {
	t.Helper()
	var all strings.Builder
	for _, text := range read(t, suffix) {
		all.WriteString(text)
	}
	return all.String()
}

func read(t *testing.T, suffix string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, suffix) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			texts[path] = string(content)
		}
		return nil
	})
	require.NoError(t, err)
	return texts
}
