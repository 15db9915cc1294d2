package faults_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// requireTransactions asserts that so many transactions were begun and committed, that nothing that was sent while one was
// under way is outside of it, and that all writes are inside but those that are outside on purpose.
func requireTransactions(t *testing.T, o operation, commands []wire.Command) {
	t.Helper()
	var current string
	committed := map[string]bool{}
	for _, command := range commands {
		if isSignOfLife(command) || isLook(command) {
			continue
		}
		if command.Starts() {
			require.Empty(t, current, "%s begins a transaction inside another", command)
			current = command.Transaction()
			require.False(t, committed[current], "%s takes a number that was used", command)
		}
		require.Equal(t, current, command.Transaction(), "%s escaped from the transaction", command)
		switch {
		case command.Name == "commitTransaction":
			committed[current], current = true, ""
		case command.Name == "abortTransaction": // a recount that somebody else made needless
			current = ""
		case command.IsWrite() && current == "":
			require.True(t, isApart(command) || (o.apart != nil && o.apart(command)), "%s is outside of the transaction: %s", command, command.Body)
		}
	}
	require.Empty(t, current, "a transaction was not committed")
	for transaction := range recounts(commands) {
		delete(committed, transaction)
	}
	require.Len(t, committed, o.transactions)
}

// allEnded reports whether each transaction that was begun was committed or aborted.
func allEnded(commands []wire.Command) bool {
	open := map[string]bool{}
	for _, command := range commands {
		switch {
		case command.Starts():
			open[command.Transaction()] = true
		case isCommit(command), command.Name == "abortTransaction":
			delete(open, command.Transaction())
		}
	}
	return len(open) == 0
}

// looks are reads that come by the clock, by collection: for notes of the census and changes of tags that were left behind, and for
// what operators are shown about these, merges and orders. What they read in order is the oldest.
var looks = map[string][]string{
	census.NotesCollectionName: {"distinct", "aggregate", "find in order"},
	"open_merges":              {"find", "find in order", "aggregate"},
	"open_merge_steps":         {"aggregate"},
	"tag_changes":              {"distinct", "aggregate", "find in order"},
	"redox":                    {"find in order"},
	"xealth_order":             {"find in order"},
}

// isLook reports whether a read comes by the clock, or asks only whether the database is there.
func isLook(c wire.Command) bool {
	name := c.Name
	if _, err := c.Body.LookupErr("sort"); err == nil && name == "find" {
		name = "find in order"
	}
	return name == "ping" || slices.Contains(looks[c.Collection], name)
}

// recounts returns the transactions that were committed and wrote nothing but the census. The one that reserves a place, and
// leaves a note about it, is none of them.
func recounts(commands []wire.Command) map[string]bool {
	only := map[string]bool{}
	for _, command := range commands {
		if isCommit(command) {
			only[command.Transaction()] = true
		}
	}
	for _, command := range commands {
		if command.IsWrite() && (!keepsCensus(command) || command.Name == "insert") {
			delete(only, command.Transaction())
		}
	}
	return only
}

// isApart reports whether a write is outside of any transaction on purpose: what it says must be seen by others at once.
func isApart(c wire.Command) bool {
	return slices.Contains([]string{census.NotesCollectionName, store.LeaseCollectionName, creations}, c.Collection)
}

// keepsCensus reports whether a write changes nothing but the census of a clinic, which may also happen on its own: a recount
// does.
func keepsCensus(c wire.Command) bool {
	if c.Collection == census.NotesCollectionName || c.Collection == census.CollectionName {
		return true
	}
	if c.Collection != clinics.CollectionName || c.Name != "update" {
		return false
	}
	return !slices.ContainsFunc(c.Statements(), func(statement bson.Raw) bool { return !onlySets(statement.Lookup("u"), "patientCount") })
}

func onlySets(update bson.RawValue, fields ...string) bool {
	document, ok := update.DocumentOK()
	if !ok {
		return false
	}
	operators, err := document.Elements()
	if err != nil {
		return false
	}
	for _, operator := range operators {
		changed, err := operator.Value().Document().Elements()
		if err != nil {
			return false
		}
		for _, field := range changed {
			name, _, _ := strings.Cut(field.Key(), ".")
			if !slices.Contains(fields, name) {
				return false
			}
		}
	}
	return true
}

func named(commands []wire.Command, name string) []wire.Command {
	return slices.DeleteFunc(slices.Clone(commands), func(c wire.Command) bool { return c.Name != name })
}
