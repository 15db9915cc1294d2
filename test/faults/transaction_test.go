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
	"github.com/tidepool-org/clinic/test/faults/wire"
)

func newReplicaSetScene(t testing.TB) *scene {
	t.Helper()
	proxy, err := wire.StartReplicaSet(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return startScene(t, proxy)
}

// TestTransactionsAsSent looks at what the service sends to a database that has transactions: all that belongs together
// must carry one session and one transaction number.
func TestTransactionsAsSent(t *testing.T) {
	t.Parallel()
	side(t, 8, newReplicaSetScene, transactional(), func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		t.Run("nothing escapes", func(t *testing.T) { requireTransactions(t, o, normal.commands) })
		inside := slices.DeleteFunc(slices.Clone(normal.writes), func(c wire.Command) bool { return !c.InTransaction() })
		recounts := censusOnly(normal.commands)
		for k, write := range inside {
			if recounts[write.Transaction()] { // what fails there is done later, and not the caller's
				continue
			}
			fault := wire.Fault{Write: k + 1, Kind: wire.Refused, Counts: func(c wire.Command) bool { return c.IsWrite() && c.InTransaction() }}
			t.Run(fmt.Sprintf("lasting error at %d %s", k+1, write), func(t *testing.T) {
				fault.Answer = wire.LastingError()
				s.play(t, func() { s.abort(o, normal, fault) })
			})
			t.Run(fmt.Sprintf("transient error at %d %s", k+1, write), func(t *testing.T) {
				fault.Answer = wire.TransientError()
				s.play(t, func() { s.tryAgain(o, normal, fault) })
			})
		}
		t.Run("transient error at the commit", func(t *testing.T) {
			s.play(t, func() {
				s.tryAgain(o, normal, wire.Fault{
					Write: 1, Kind: wire.Refused, Answer: wire.TransientError(),
					Counts: func(c wire.Command) bool { return c.Name == "commitTransaction" },
				})
			})
		})
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
	require.Len(s, named(commands, "abortTransaction"), 1)
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

// requireTransactions asserts that so many transactions were begun and committed, that nothing that was sent while one was
// under way is outside of it, and that all writes are inside but those of the census.
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
			require.True(t, keepsCensus(command) || (o.apart != nil && o.apart(command)), "%s is outside of the transaction: %s", command, command.Body)
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

// keepsCensus reports whether a write changes nothing but the census of a clinic, which may also happen on its own: a recount
// does.
func keepsCensus(c wire.Command) bool {
	if c.Collection == census.NotesCollectionName || c.Collection == census.CollectionName {
		return true
	}
	if c.Collection != clinics.CollectionName || c.Name != "update" {
		return false
	}
	for _, statement := range c.Statements() {
		if !onlySets(statement.Lookup("u"), "patientCount", "derived", "updatedTime") {
			return false
		}
	}
	return true
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
