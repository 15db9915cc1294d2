package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var operatorCommand = regexp.MustCompile(`\behr ([a-z]+) ([a-z-]+)`)

// TestNamedCommandsExist: a guide that is followed at night must not name a command, or a flag, that there is not.
func TestNamedCommandsExist(t *testing.T) {
	t.Parallel()
	reference, err := os.ReadFile("ehr-command.md")
	require.NoError(t, err)
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	for _, guide := range []string{"upgrade.md", "rollback.md", "backup.md", "operations.md"} {
		text, err := os.ReadFile(guide)
		require.NoError(t, err)
		for quoted := range codeSpans(string(text)) {
			match := operatorCommand.FindStringSubmatch(quoted)
			if match == nil {
				continue
			}
			_, after, found := strings.Cut(string(reference), "### `ehr "+match[1]+" "+match[2])
			require.True(t, found, "%s names %q", guide, quoted)
			section, _, _ := strings.Cut(after, "\n### ")
			for _, name := range flag.FindAllString(quoted, -1) {
				require.Contains(t, section, "`"+name+"`", "%s names %q", guide, quoted)
			}
		}
	}
}

// codeSpans yields what stands between backticks, within a line.
func codeSpans(text string) map[string]bool {
	spans := map[string]bool{}
	for line := range strings.Lines(text) {
		for i, part := range strings.Split(line, "`") {
			if i%2 == 1 {
				spans[part] = true
			}
		}
	}
	return spans
}
