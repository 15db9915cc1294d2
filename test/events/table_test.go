package events_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

const (
	page     = "../../docs/events.md"
	document = "../../api/clinic.v1.yaml"
)

// situation names a row of the table.
type situation struct{ operation, when string }

// documented returns the events that the page promises, by the row they stand in.
func documented(t *testing.T) map[situation][]string {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	rows := map[situation][]string{}
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.HasPrefix(line, "|") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] == "Operation" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		key := situation{cells[0], cells[1]}
		require.NotContains(t, rows, key, "two rows are about the same")
		rows[key] = nil
		if cells[2] != "none" {
			rows[key] = strings.Split(cells[2], "<br>")
			slices.Sort(rows[key])
		}
	}
	return rows
}

// operation is one of the document, by its method and path.
type operation struct{ id, method, path string }

// operations returns all operations of the document.
func operations(t *testing.T) []operation {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromFile(document)
	require.NoError(t, err)
	var found []operation
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			found = append(found, operation{o.OperationID, method, path})
		}
	}
	slices.SortFunc(found, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return found
}

// TestEveryOperationHasARow: an operation that is new must say which events it makes. One that only reads has no row if its
// method is GET, since TestReadingMakesNoEvents covers these.
func TestEveryOperationHasARow(t *testing.T) {
	t.Parallel()
	promised := documented(t)
	played := map[situation]bool{}
	ids := map[string]bool{}
	for _, r := range rows() {
		require.False(t, played[r.situation], "%v is played twice", r.situation)
		require.Contains(t, promised, r.situation, "%s does not show a row that is played", page)
		played[r.situation], ids[r.operation] = true, true
	}
	for key := range promised {
		require.True(t, played[key], "%s shows a row that is not played: %v", page, key)
	}
	for _, o := range operations(t) {
		require.True(t, o.method == "GET" || ids[o.id], "%s may write, and has no row", o.id)
	}
}
