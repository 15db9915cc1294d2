package operator

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
)

func TestBackupNotes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.patient(t, "Ann", nil)
	_, err := d.Store.Collection("foreign").InsertOne(t.Context(), bson.M{"_id": 1})
	require.NoError(t, err)
	lines := strings.Join(d.ok(t, "backup", "notes"), "\n")
	require.Contains(t, lines, "patients - 1 documents - without it: nothing is left\n")
	require.Contains(t, lines, "open_merges - 0 documents - ")
	require.Contains(t, lines, "foreign - 1 documents - without it: unknown")
}

// TestEveryCollectionIsInABackup: pages say the same as the command, and both know all collections.
func TestEveryCollectionIsInABackup(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	var table strings.Builder
	for _, group := range kept {
		for _, name := range group.collections {
			require.False(t, known[name], name)
			known[name] = true
		}
		table.WriteString("| `" + strings.Join(group.collections, "`, `") + "` | " + group.without + " |\n")
	}
	for _, owned := range app.Indexes() {
		require.True(t, known[owned.Collection], owned.Collection)
	}
	for page, wanted := range map[string][]string{"backup.md": {table.String()}, "sharding.md": nil} {
		content, err := os.ReadFile("../../docs/" + page)
		require.NoError(t, err)
		for name := range known {
			wanted = append(wanted, "`"+name+"`")
		}
		for _, text := range wanted {
			require.Contains(t, string(content), text, page)
		}
		require.NotContains(t, string(content), "xealth_turns", "it is not made any more")
	}
}
