package faults_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestTransactions plays every operation on a database that has transactions. All that belongs together must carry one session
// and one transaction number. Then the database refuses a write, for good or because another client came first, it loses a commit
// or only its answer, or the service is killed: nothing of the transaction may be seen, or all of it, also in the change events.
//
// Of the writes of a transaction, the first, one in the middle and the last go wrong; CLINIC_LONG_TESTS=1 takes all.
func TestTransactions(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	alive, results := feelPulse(t), newTable()
	transactional := slices.DeleteFunc(operations(), func(o operation) bool { return o.transactions == 0 })
	side(alive, t, 6, func(t testing.TB) *scene {
		return newScene(t).watched(t, alive) //nolint:contextcheck // ends with the test
	}, transactional, func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		t.Run("commit", func(t *testing.T) {
			requireTransactions(t, o, normal.commands)
			results.add(o, commit, o.transactions)
		})
		s.breakWrites(t, o, normal, results)
		s.breakCommits(t, o, normal, results)
	})
	side(alive, t, 4, func(t testing.TB) *processScene {
		s := newProcessScene(t) //nolint:contextcheck // ends with the test
		s.watched(t, alive)
		return s
	}, operations(), func(t *testing.T, s *processScene, o operation) {
		s.dieInTransactions(t, o, results)
	})
	results.report(t)
}

// watched lets the scene end with the database, and look at change events.
func (s *scene) watched(t testing.TB, alive context.Context) *scene {
	s.alive, s.witness = alive, newWitness(t, s.app.Store) //nolint:contextcheck // ends with the test
	return s
}

// sampled returns the first, the middle and the last of positions, or all of them if there is time.
func sampled[T any](positions []T) []T {
	n := len(positions)
	if n <= 3 || os.Getenv("CLINIC_LONG_TESTS") != "" {
		return positions
	}
	return []T{positions[0], positions[n/2], positions[n-1]}
}

// inside returns for each transaction of the operation the positions of its writes, counted from 1 among all that are in one.
func inside(normal course) [][]int {
	recounts := recounts(normal.commands)
	var found [][]int
	last, n := "", 0
	for _, write := range normal.writes {
		if !write.InTransaction() {
			continue
		}
		n++
		if recounts[write.Transaction()] { // what fails there is done later, and not the caller's
			continue
		}
		if write.Transaction() != last {
			found, last = append(found, nil), write.Transaction()
		}
		found[len(found)-1] = append(found[len(found)-1], n)
	}
	return found
}

// commits returns the positions of the commits of the same transactions among all commits.
func commits(normal course) []int {
	recounts := recounts(normal.commands)
	var found []int
	for i, command := range named(normal.commands, commitName) {
		if !recounts[command.Transaction()] {
			found = append(found, i+1)
		}
	}
	return found
}

const commitName = "commitTransaction"

func isInside(c wire.Command) bool { return isCounted(c) && c.InTransaction() }
func isCommit(c wire.Command) bool { return c.Name == commitName }

func (s *scene) breakWrites(t *testing.T, o operation, normal course, results *table) {
	t.Helper()
	for _, writes := range inside(normal) {
		for _, k := range sampled(writes) {
			t.Run(fmt.Sprintf("rollback at %d", k), func(t *testing.T) {
				s.play(t, func() {
					s.abort(o, normal, wire.Fault{Write: k, Kind: wire.Refused, Answer: wire.LastingError(), Counts: isInside})
				})
				results.add(o, rollback, 1)
			})
			t.Run(fmt.Sprintf("conflict at %d", k), func(t *testing.T) {
				s.play(t, func() {
					s.tryAgain(o, normal, wire.Fault{Write: k, Kind: wire.Contended, Answer: wire.TransientError(), Counts: isInside})
				})
				results.add(o, conflict, 1)
				if s.proxy.Conflicted() {
					results.add(o, realConflict, 1)
				}
			})
		}
	}
}

func (s *scene) breakCommits(t *testing.T, o operation, normal course, results *table) {
	t.Helper()
	for _, k := range commits(normal) {
		fault := wire.Fault{Write: k, Counts: isCommit}
		t.Run(fmt.Sprintf("rollback at commit %d", k), func(t *testing.T) {
			fault.Kind, fault.Answer = wire.Refused, wire.LastingError()
			s.play(t, func() { s.abort(o, normal, fault) })
			results.add(o, rollback, 1)
		})
		t.Run(fmt.Sprintf("conflict at commit %d", k), func(t *testing.T) {
			fault.Kind, fault.Answer = wire.Refused, wire.TransientError()
			s.play(t, func() { s.tryAgain(o, normal, fault) })
			results.add(o, conflict, 1)
		})
		for _, kind := range []wire.Kind{wire.Lost, wire.Unanswered, wire.Denied} {
			t.Run(fmt.Sprintf("%s commit %d", kind, k), func(t *testing.T) {
				fault.Kind, fault.Answer = kind, wire.UnknownOutcome()
				s.play(t, func() { s.commitAgain(o, normal, fault) })
				results.add(o, lostCommit, 1)
			})
		}
	}
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
	s.sweep()
	if o.transactions == 1 {
		if !isCommit(faulty(commands, fault)) {
			require.NotEmpty(s, named(commands, "abortTransaction"))
			require.Empty(s, named(commands, commitName))
		}
		requireState(s, normal.before.without(accountsName), s.state().without(accountsName), "an aborted transaction leaves nothing")
		require.Empty(s, s.events(), "an aborted transaction makes no event")
	}
	s.repeatIsRight(o, normal)
	s.endIsRight(o, normal, fault.Kind)
	s.eventsAreRight(o, normal)
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
	failed := faulty(commands, fault)
	attempts := slices.DeleteFunc(commands, func(c wire.Command) bool {
		return !c.Starts() || c.Session() != failed.Session() || c.Number() < failed.Number()
	})
	require.GreaterOrEqual(s, len(attempts), 2, "it is tried again")
	require.Equal(s, failed.Number(), attempts[0].Number())
	require.Equal(s, attempts[0].String(), attempts[1].String(), "the second attempt begins as the first")
	require.Greater(s, attempts[1].Number(), attempts[0].Number(), "the second attempt is a transaction of its own")
	s.endIsRight(o, normal, fault.Kind)
	require.Equal(s, normal.events, s.events())
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
	commands := s.proxy.Commands()
	failed := faulty(commands, fault)
	require.Len(s, slices.DeleteFunc(commands, func(c wire.Command) bool { return !isCommit(c) || c.Transaction() != failed.Transaction() }), 2)
	s.endIsRight(o, normal, fault.Kind)
	require.Equal(s, normal.events, s.events())
}

// faulty returns the command that went wrong.
func faulty(commands []wire.Command, fault wire.Fault) wire.Command {
	n := 0
	for _, command := range commands {
		if !fault.Counts(command) {
			continue
		}
		if n++; n == fault.Write {
			return command
		}
	}
	return wire.Command{}
}
