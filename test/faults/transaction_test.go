package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

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
	side(t, newReplicaSetScene, transactional(), func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		t.Run("one transaction", func(t *testing.T) { requireOneTransaction(t, normal.commands) })
		inside := slices.DeleteFunc(slices.Clone(normal.writes), func(c wire.Command) bool { return !c.InTransaction() })
		for k, write := range inside {
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
	return slices.DeleteFunc(operations(), func(o operation) bool { return !o.transaction })
}

// abort plays the operation with an error that ends its transaction: nothing of it may be seen.
func (s *scene) abort(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.clear()
	o.stage(s)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	require.GreaterOrEqual(s, first.Status, 500, string(first.Body))
	commands := s.proxy.Commands()
	require.Len(s, named(commands, "abortTransaction"), 1)
	require.Empty(s, named(commands, "commitTransaction"))
	s.sweep()
	require.Equal(s, normal.before.without(accountsName), s.state().without(accountsName), "an aborted transaction leaves nothing")
	s.repeatIsRight(o, normal)
	s.endIsRight(o, normal, fault.Kind)
}

// tryAgain plays the operation with an error after which its transaction is to be tried again: nobody may notice.
func (s *scene) tryAgain(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.clear()
	o.stage(s)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	require.Equal(s, normal.status, first.Status, string(first.Body))
	begun := slices.DeleteFunc(s.proxy.Commands(), func(c wire.Command) bool { return !c.Starts() })
	require.Len(s, begun, 2, "the second attempt is a transaction of its own")
	require.NotEqual(s, begun[0].Transaction(), begun[1].Transaction())
	s.endIsRight(o, normal, fault.Kind)
}

// requireOneTransaction asserts that one transaction was begun and committed, that nothing that was sent in between is
// outside, and that all writes are inside but those of the census.
func requireOneTransaction(t *testing.T, commands []wire.Command) {
	t.Helper()
	begin := slices.IndexFunc(commands, wire.Command.Starts)
	end := slices.IndexFunc(commands, func(c wire.Command) bool { return c.Name == "commitTransaction" })
	require.GreaterOrEqual(t, begin, 0, "no transaction was begun")
	require.Greater(t, end, begin, "no commit followed")
	for i, command := range commands {
		if i >= begin && i <= end {
			require.Equal(t, commands[begin].Transaction(), command.Transaction(), "%s escaped from the transaction", command)
		} else if command.IsWrite() {
			require.True(t, keepsCensus(command), "%s is outside of the transaction: %s", command, command.Body)
		}
	}
}

// keepsCensus reports whether a write changes nothing but the census of a clinic, which is not part of any transaction:
// the counts are shared by all requests to a clinic, and their transactions would be in each other's way.
func keepsCensus(c wire.Command) bool {
	if c.Collection == clinics.NotesCollectionName {
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
