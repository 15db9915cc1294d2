package faults_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// tooManyWrites is why tests that repeat everything for each write do not run on SecantusDB.
const tooManyWrites = "each write takes long there, and these tests make hundreds of thousands; TestTransactions breaks off at some"

// TestEveryWriteMayFail cuts the connection at each write of each operation, on either side of the write, and lets the database
// refuse it, repeats the call, and compares what is stored with what an undisturbed call leaves.
func TestEveryWriteMayFail(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, tooManyWrites)
	var jobs []cutting
	for _, o := range operations() {
		for _, kind := range []wire.Kind{wire.Lost, wire.Unanswered, wire.Halved, wire.Down} {
			jobs = append(jobs, cutting{operation: o, kind: kind})
		}
	}
	side(t.Context(), t, 12, newScene, jobs, func(t *testing.T, s *scene, j cutting) {
		normal := s.undisturbed(t, j.operation)
		if j.kind == wire.Lost { // once is enough
			t.Run("undisturbed", func(t *testing.T) {
				requireShapes(t, normal.writes)
				requireKnownCalls(t, j.operation, normal.calls)
			})
		}
		for k, write := range normal.writes {
			if j.kind == wire.Halved && (len(write.Statements()) < 2 || write.InTransaction()) { // nothing of it stays there
				continue
			}
			t.Run(fmt.Sprintf("%d %s", k+1, write), func(t *testing.T) {
				s.play(t, func() { s.cut(j.operation, normal, wire.Fault{Write: k + 1, Kind: j.kind, Counts: isCounted}) })
			})
		}
	})
}

// cutting is an operation whose writes all go wrong in the same way.
type cutting struct {
	operation
	kind wire.Kind
}

// String returns the name of the operation and how it goes wrong.
func (c cutting) String() string { return fmt.Sprintf("%s, %s", c.operation, c.kind) }

// side runs the tests of jobs, several side by side, each on a stage of its own, until the context ends. They mostly wait: the
// driver asks a server that it lost only twice a second whether it is back.
func side[S any, J fmt.Stringer](ctx context.Context, t *testing.T, scenes int, newScene func(testing.TB) S, jobs []J, test func(*testing.T, S, J)) {
	t.Helper()
	queue := make(chan J, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(scenes, len(jobs)) {
		s := newScene(t)
		workers.Go(func() {
			for j := range queue {
				if ctx.Err() != nil {
					return
				}
				t.Run(j.String(), func(t *testing.T) { test(t, s, j) })
			}
		})
	}
	workers.Wait()
}

// course is what an undisturbed call does.
type course struct {
	status   int
	before   state
	after    state
	repeated state // after a second call, for operations that may run twice
	commands []wire.Command
	writes   []wire.Command
	calls    []standin.Call
	events   []string
}

// undisturbed returns what the operation does if nothing goes wrong, and no recount in the background comes in its way.
func (s *scene) undisturbed(t *testing.T, o operation) course {
	t.Helper()
	normal := s.course(t, o)
	for tries := 5; tries > 0 && hasGivenUp(normal.commands); tries-- {
		normal = s.course(t, o)
	}
	return normal
}

// hasGivenUp reports whether a transaction that wrote something was not committed.
func hasGivenUp(commands []wire.Command) bool {
	open := map[string]bool{}
	for _, command := range commands {
		if command.InTransaction() && command.IsWrite() {
			open[command.Transaction()] = true
		}
		if isCommit(command) {
			delete(open, command.Transaction())
		}
	}
	return len(open) > 0
}

func (s *scene) course(t *testing.T, o operation) course {
	t.Helper()
	var normal course
	s.play(t, func() {
		s.set(o)
		normal.before = s.state()
		s.proxy.Forget()
		s.app.Standin.ForgetCalls()
		answer := o.call(s)
		require.Less(t, answer.Status, 300, string(answer.Body))
		s.settle()
		normal.commands, normal.writes = s.proxy.Commands(), s.proxy.Writes()
		normal.writes = slices.DeleteFunc(normal.writes, isSignOfLife)
		normal.calls = s.app.Standin.Calls()
		normal.status, normal.after, normal.events = answer.Status, s.state(), s.events()
		require.NotEmpty(t, normal.writes)
		s.recount()
		var untidy []string
		if o.uncounted != nil {
			untidy = o.uncounted.collections
		}
		requireState(t, s.state().without(untidy...), normal.after.without(untidy...), "the census is true without counting")
		if o.twice != nil || o.twiceIfKilled != nil {
			o.call(s)
			normal.repeated = s.state()
		}
	})
	return normal
}

// cut plays the operation with a fault, and repeats it if it is answered with an error.
func (s *scene) cut(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.set(o)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	require.NoError(s, s.proxy.Expire())
	s.allOrNothing(o, normal)
	s.answersAreRight(o, normal, first)
	s.pass()
	s.sweep()
	s.endIsRight(o, normal, fault.Kind)
}

// answersAreRight asserts that the call failed as it may, and repeats it in this case.
func (s *scene) answersAreRight(o operation, normal course, first testkit.Response) {
	s.Helper()
	if first.Status == normal.status {
		return // the service helped itself, or only its bookkeeping was cut off
	}
	require.GreaterOrEqual(s, first.Status, 500, string(first.Body))
	s.repeatIsRight(o, normal)
}

func (s *scene) repeatIsRight(o operation, normal course) {
	s.Helper()
	s.pass()
	again := o.call(s)
	if o.repeat != nil && again.Status == o.repeat.status {
		return
	}
	require.Equal(s, normal.status, again.Status, string(again.Body))
}

// endIsRight asserts that everything is as if nothing had happened.
func (s *scene) endIsRight(o operation, normal course, kind wire.Kind) {
	s.Helper()
	s.endIsOneOf(o, normal, kind, false)
}

func (s *scene) endIsOneOf(o operation, normal course, kind wire.Kind, killed bool) {
	s.Helper()
	found := s.state()
	allowed := []state{normal.after}
	if o.twice != nil && kind == wire.Unanswered || killed && o.twiceIfKilled != nil {
		allowed = append(allowed, normal.repeated)
	}
	if o.undone != nil && slices.Equal(normal.before.without(o.undone.ignored()...), found.without(o.undone.ignored()...)) {
		return
	}
	if o.orphans != nil && kind == wire.Down {
		found = s.withoutOrphans(found, o.orphans.collections)
	}
	var ignored []string
	if o.accounts != nil {
		ignored = append(ignored, accountsName)
	}
	if o.more != nil {
		for _, collection := range o.more.collections {
			require.GreaterOrEqual(s, len(found.only(collection)), len(normal.after.only(collection)), "nothing of %s is lost", collection)
		}
		ignored = append(ignored, o.more.collections...)
	}
	// That notes and leases of recounts go is what the sweep before has waited for; the service may be at the next one.
	ignored = append(ignored, census.NotesCollectionName, store.LeaseCollectionName)
	found = found.without(ignored...)
	for i := range allowed {
		allowed[i] = allowed[i].without(ignored...)
	}
	for _, other := range allowed[1:] {
		if slices.Equal(other, found) {
			return
		}
	}
	requireState(s, allowed[0], found, "the state that an undisturbed call leaves")
}

// isSignOfLife reports whether a write only tells that a merge is still under way. Such writes come by the clock, and are not
// counted.
func isSignOfLife(c wire.Command) bool {
	return c.Collection == "open_merges" && c.Name == "update" && strings.Contains(c.Body.String(), `"heldUntil"`)
}

// allOrNothing asserts that of an operation that is one transaction nothing can be seen, or all.
func (s *scene) allOrNothing(o operation, normal course) {
	s.Helper()
	if !s.app.Store.HasTransactions() || o.transactions != 1 || o.apart != nil {
		return
	}
	// Notes and leases are outside of the transaction on purpose, and an account cannot be taken back.
	apart := []string{accountsName, census.NotesCollectionName, store.LeaseCollectionName}
	found := s.state().without(apart...)
	if !slices.Equal(found, normal.before.without(apart...)) {
		requireState(s, normal.after.without(apart...), found, "neither nothing nor all of a transaction")
	}
}

func isCounted(c wire.Command) bool { return c.IsWrite() && !isSignOfLife(c) }

// requireState asserts that two states are the same, and otherwise shows the lines in which they differ.
func requireState(t testing.TB, wanted, found state, what string) {
	t.Helper()
	require.Empty(t, strings.Join(append(wanted.minus(found, "missing: "), found.minus(wanted, "too much: ")...), "\n"), what)
}
