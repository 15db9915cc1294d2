package operator

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

const referencePage = "../../docs/ehr-command.md"

// TestTheReferencePageIsCurrent holds docs/ehr-command.md against the commands. To renew the page, set UPDATE_DOCS=1.
func TestTheReferencePageIsCurrent(t *testing.T) {
	t.Parallel()
	page := reference((&tool{}).root())
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(referencePage, []byte(page), 0o600))
	}
	stored, err := os.ReadFile(referencePage)
	require.NoError(t, err)
	require.Equal(t, string(stored), page, "renew it with UPDATE_DOCS=1 go test ./app/operator")
}

func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command `ehr`\n\n<!-- printed from the commands: UPDATE_DOCS=1 go test ./app/operator -->\n\n")
	b.WriteString("The binary of the service, called by the name `ehr`. In a cluster: `kubectl exec deploy/clinic -- ehr ...`.\n\n")
	b.WriteString(root.Long + "\n\n## Flags of all commands\n\n")
	flagTable(&b, root.PersistentFlags())
	for _, group := range root.Commands() {
		if !group.HasSubCommands() {
			continue
		}
		fmt.Fprintf(&b, "\n## ehr %s\n\n%s.\n", group.Name(), group.Short)
		for _, command := range group.Commands() {
			fmt.Fprintf(&b, "\n### `%s`\n\n", strings.TrimSuffix(command.UseLine(), " [flags]"))
			if text := command.Long; text != "" {
				b.WriteString(text + "\n")
			} else {
				b.WriteString(command.Short + ".\n")
			}
			if command.LocalNonPersistentFlags().HasFlags() {
				b.WriteString("\n")
				flagTable(&b, command.LocalNonPersistentFlags())
			}
		}
	}
	return b.String()
}

func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| Flag | Default | Meaning |\n|---|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		fallback := "–"
		if f.DefValue != "" {
			fallback = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, fallback, f.Usage)
	})
}
