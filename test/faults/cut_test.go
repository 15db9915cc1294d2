package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// scenes is how many services run side by side. They mostly wait: the driver asks a server that it lost only twice a second
// whether it is back.
const scenes = 12

// TestEveryWriteMayFail cuts the connection at each write of each operation, on either side of the write, repeats the call,
// and compares what is stored with what an undisturbed call leaves.
func TestEveryWriteMayFail(t *testing.T) {
	t.Parallel()
	side(t, newScene, operations(), func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		for _, kind := range []wire.Kind{wire.Lost, wire.Unanswered, wire.Halved, wire.Down} {
			for k, write := range normal.writes {
				if kind == wire.Halved && len(write.Statements()) < 2 {
					continue
				}
				t.Run(fmt.Sprintf("%s %d %s", kind, k+1, write), func(t *testing.T) {
					s.play(t, func() { s.cut(o, normal, wire.Fault{Write: k + 1, Kind: kind}) })
				})
			}
		}
	})
}

// side runs the test of each operation, several side by side, each on a stage of its own.
func side(t *testing.T, newScene func(testing.TB) *scene, all []operation, test func(*testing.T, *scene, operation)) {
	t.Helper()
	queue := make(chan operation, len(all))
	for _, o := range all {
		queue <- o
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(scenes, len(all)) {
		s := newScene(t)
		workers.Go(func() {
			for o := range queue {
				t.Run(o.name, func(t *testing.T) { test(t, s, o) })
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
}

func (s *scene) undisturbed(t *testing.T, o operation) course {
	t.Helper()
	var normal course
	s.play(t, func() {
		s.clear()
		o.stage(s)
		normal.before = s.state()
		s.proxy.Forget()
		answer := o.call(s)
		require.Less(t, answer.Status, 300, string(answer.Body))
		normal.commands, normal.writes = s.proxy.Commands(), s.proxy.Writes()
		normal.status, normal.after = answer.Status, s.state()
		require.NotEmpty(t, normal.writes)
		s.recount()
		requireState(t, s.state(), normal.after, "the census is true without counting")
		if o.twice != nil {
			o.call(s)
			normal.repeated = s.state()
		}
	})
	return normal
}

// cut plays the operation with a fault, and repeats it if it is answered with an error.
func (s *scene) cut(o operation, normal course, fault wire.Fault) {
	s.Helper()
	s.clear()
	o.stage(s)
	s.proxy.Arm(fault)
	first := o.call(s)
	require.True(s, s.proxy.Heal(), "the write did not come")
	s.answersAreRight(o, normal, first)
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
	again := o.call(s)
	if o.repeat != nil && again.Status == o.repeat.status {
		return
	}
	require.Equal(s, normal.status, again.Status, string(again.Body))
}

// endIsRight asserts that everything is as if nothing had happened.
func (s *scene) endIsRight(o operation, normal course, kind wire.Kind) {
	s.Helper()
	found := s.state()
	allowed := []state{normal.after}
	if o.twice != nil && kind == wire.Unanswered {
		allowed = append(allowed, normal.repeated)
	}
	if o.undone != nil {
		allowed = append(allowed, normal.before)
	}
	if o.orphans != nil && kind == wire.Down {
		found = s.withoutOrphans(found, o.orphans.collections)
	}
	for i := range allowed {
		if o.accounts != nil {
			allowed[i] = allowed[i].without(accountsName)
		}
	}
	if o.accounts != nil {
		found = found.without(accountsName)
	}
	for _, other := range allowed[1:] {
		if slices.Equal(other, found) {
			return
		}
	}
	requireState(s, allowed[0], found, "the state that an undisturbed call leaves")
}

func requireState(t testing.TB, wanted, found state, what string) {
	t.Helper()
	require.Equal(t, strings.Join(wanted, "\n"), strings.Join(found, "\n"), what)
}
