package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestTransactions looks at what the service sends to a database that has transactions: all that belongs together must carry one
// session and one transaction number. Then it lets the database refuse each write, for good or because another transaction
// came first, and lose each commit, or only its answer.
func TestTransactions(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	side(t, 8, newScene, transactional(), func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		t.Run("nothing escapes", func(t *testing.T) { requireTransactions(t, o, normal.commands) })
		inside := slices.DeleteFunc(slices.Clone(normal.writes), func(c wire.Command) bool { return !c.InTransaction() })
		recounts := censusOnly(normal.commands)
		for k, write := range inside {
			if recounts[write.Transaction()] { // what fails there is done later, and not the caller's
				continue
			}
			fault := wire.Fault{Write: k + 1, Kind: wire.Refused, Counts: func(c wire.Command) bool { return isCounted(c) && c.InTransaction() }}
			t.Run(fmt.Sprintf("lasting error at %d %s", k+1, write), func(t *testing.T) {
				fault.Answer = wire.LastingError()
				s.play(t, func() { s.abort(o, normal, fault) })
			})
			t.Run(fmt.Sprintf("conflict at %d %s", k+1, write), func(t *testing.T) {
				fault.Answer = wire.TransientError()
				s.play(t, func() { s.tryAgain(o, normal, fault) })
			})
		}
		for k := range o.transactions {
			fault := wire.Fault{Write: k + 1, Counts: func(c wire.Command) bool { return c.Name == "commitTransaction" }}
			t.Run(fmt.Sprintf("conflict at commit %d", k+1), func(t *testing.T) {
				fault.Kind, fault.Answer = wire.Refused, wire.TransientError()
				s.play(t, func() { s.tryAgain(o, normal, fault) })
			})
			for _, kind := range []wire.Kind{wire.Lost, wire.Unanswered} {
				t.Run(fmt.Sprintf("%s commit %d", kind, k+1), func(t *testing.T) {
					fault.Kind = kind
					s.play(t, func() { s.commitAgain(o, normal, fault) })
				})
			}
			t.Run(fmt.Sprintf("down at commit %d", k+1), func(t *testing.T) {
				fault.Kind = wire.Down
				s.play(t, func() { s.cut(o, normal, fault) })
			})
		}
	})
}

func transactional() []operation {
	return slices.DeleteFunc(operations(), func(o operation) bool { return o.transactions == 0 })
}

// abort plays the operation with an error that ends its transaction: nothing of it may be seen.
func (s *scene) abort(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.set(o)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	require.GreaterOrEqual(s, first.Status, 500, string(first.Body))
	commands := s.proxy.Commands()
	require.NotEmpty(s, named(commands, "abortTransaction"))
	s.allOrNothing(o, normal)
	s.sweep()
	if o.transactions == 1 {
		require.Empty(s, named(commands, "commitTransaction"))
		requireState(s, normal.before.without(accountsName), s.state().without(accountsName), "an aborted transaction leaves nothing")
	}
	s.repeatIsRight(o, normal)
	s.endIsRight(o, normal, fault.Kind)
}

// tryAgain plays the operation with an error after which its transaction is to be tried again: nobody may notice.
func (s *scene) tryAgain(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.set(o)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	require.Equal(s, normal.status, first.Status, string(first.Body))
	commands := s.proxy.Commands()
	recounts := censusOnly(commands)
	begun := slices.DeleteFunc(commands, func(c wire.Command) bool { return !c.Starts() || recounts[c.Transaction()] })
	require.Len(s, begun, o.transactions+1, "the second attempt is a transaction of its own")
	s.endIsRight(o, normal, fault.Kind)
}

// commitAgain plays the operation with a commit of which nobody knows whether it happened: it is sent again, and nobody may
// notice.
func (s *scene) commitAgain(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.set(o)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the commit did not come")
	require.Equal(s, normal.status, first.Status, string(first.Body))
	require.Len(s, named(s.proxy.Commands(), "commitTransaction"), o.transactions+1)
	s.endIsRight(o, normal, fault.Kind)
}

// requireTransactions asserts that so many transactions were begun and committed, that nothing that was sent while one was
// under way is outside of it, and that all writes are inside but those that are outside on purpose.
func requireTransactions(t *testing.T, o operation, commands []wire.Command) {
	t.Helper()
	var current string
	committed := map[string]bool{}
	for _, command := range commands {
		if isSignOfLife(command) || isSweep(command) {
			continue
		}
		if command.Starts() {
			require.Empty(t, current, "%s begins a transaction inside another", command)
			current = command.Transaction()
			require.False(t, committed[current], "%s takes a number that was used", command)
		}
		require.Equal(t, current, command.Transaction(), "%s escaped from the transaction", command)
		if command.Name == "commitTransaction" {
			committed[current], current = true, ""
		} else if command.IsWrite() && current == "" {
			require.True(t, isApart(command) || (o.apart != nil && o.apart(command)), "%s is outside of the transaction: %s", command, command.Body)
		}
	}
	require.Empty(t, current, "a transaction was not committed")
	for transaction := range censusOnly(commands) {
		delete(committed, transaction)
	}
	require.Len(t, committed, o.transactions)
}

// isSweep reports whether the background looks for notes of the census that were left behind.
func isSweep(c wire.Command) bool {
	return c.Collection == census.NotesCollectionName && c.Name == "distinct"
}

// censusOnly returns the transactions that were committed and wrote nothing but the census: recounts.
func censusOnly(commands []wire.Command) map[string]bool {
	only := map[string]bool{}
	for _, command := range commands {
		if command.Name == "commitTransaction" {
			only[command.Transaction()] = true
		}
	}
	for _, command := range commands {
		if command.IsWrite() && !keepsCensus(command) {
			delete(only, command.Transaction())
		}
	}
	return only
}

// isApart reports whether a write is outside of any transaction on purpose: what it says must be seen by others at once.
func isApart(c wire.Command) bool {
	return c.Collection == census.NotesCollectionName || c.Collection == store.LeaseCollectionName
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
