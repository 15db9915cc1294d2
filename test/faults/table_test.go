package faults_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// page shows readers what these tests do.
const page = "../../docs/multi-document-writes.md"

// column is something that the table counts.
type column string

const (
	commit       column = "Commit"
	rollback     column = "Rollback"
	conflict     column = "Conflict"
	lostCommit   column = "Lost commit"
	kill         column = "Kill"
	realConflict column = "conflicts of the database itself" // not shown per operation: engines differ
)

// columns are those that are shown.
var columns = []column{commit, rollback, conflict, lostCommit, kill}

// table counts for each operation and fault the positions at which it was played, and passed.
type table struct {
	mu     sync.Mutex
	counts map[string]map[column]int
}

func newTable() *table { return &table{counts: map[string]map[column]int{}} }

func (r *table) add(o operation, c column, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts[o.name] == nil {
		r.counts[o.name] = map[column]int{}
	}
	r.counts[o.name][c] += n
}

// line returns the row of an operation as the page shows it.
func (r *table) line(o operation) string {
	cells := []string{o.name, number(o.transactions)}
	for _, c := range columns {
		cells = append(cells, number(r.counts[o.name][c]))
	}
	return "| " + strings.Join(append(cells, o.instead), " | ") + " |"
}

func number(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func head() []string {
	title, rule := "| Row | Transactions |", "|---|---|"
	for _, c := range columns {
		title, rule = title+" "+string(c)+" |", rule+"---|"
	}
	return []string{title + " What holds instead of one transaction |", rule + "---|"}
}

// report prints the table. If everything was played as by default, it must be the one of the page.
func (r *table) report(t *testing.T) {
	t.Helper()
	lines := head()
	conflicts, own := 0, 0
	for _, o := range operations() {
		lines = append(lines, r.line(o))
		conflicts, own = conflicts+r.counts[o.name][conflict], own+r.counts[o.name][realConflict]
	}
	t.Logf("positions at which each fault was played\n%s\n%d of %d conflicts came from the database itself", strings.Join(lines, "\n"), own, conflicts)
	if t.Failed() || os.Getenv("CLINIC_LONG_TESTS") != "" || strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return
	}
	require.Equal(t, lines, shown(t), "the table of %s", page)
}

// shown returns the lines of the table of the page.
func shown(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	lines := strings.Split(string(content), "\n")
	first := slices.Index(lines, head()[0])
	require.GreaterOrEqual(t, first, 0, "%s has no table with this head: %s", page, head()[0])
	lines = lines[first:]
	return lines[:slices.IndexFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "|") })]
}

// TestEveryOperationIsInTheTable holds, on any database, what the page says of transactions against the operations.
func TestEveryOperationIsInTheTable(t *testing.T) {
	t.Parallel()
	lines := shown(t)[2:]
	require.Len(t, lines, len(operations()))
	for i, o := range operations() {
		require.Equal(t, o.transactions != 1, o.instead != "", "%s: what is not one transaction needs something in its place", o)
		cells := strings.Split(strings.Trim(lines[i], "| "), " | ")
		require.Equal(t, []string{o.name, number(o.transactions)}, cells[:2])
		if o.instead != "" {
			require.Equal(t, o.instead, cells[len(cells)-1])
		}
	}
}

// TestEveryOperationThatWritesMuchIsPlayed: the operations are those of which docs/events.md shows more than one event.
func TestEveryOperationThatWritesMuchIsPlayed(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/events.md")
	require.NoError(t, err)
	played := map[string]bool{}
	for _, o := range operations() {
		id, _, _ := strings.Cut(o.name, " ")
		played[id] = true
	}
	many := 0
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.Contains(cells[2], "<br>") && !strings.Contains(cells[2], " × ") {
			continue
		}
		many++
		require.True(t, played[strings.TrimSpace(cells[0])], "%swrites more than one document, and no fault is played with it", cells[0])
	}
	require.Greater(t, many, 30)
}
