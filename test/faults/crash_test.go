package faults_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// deadliest are the operations that remove most, and are killed and not only cut off.
var deadliest = []string{
	"DeleteClinic", "DeletePatient", "DeleteUserFromClinics (last member, patient elsewhere)", "MergeClinic",
}

// mostDeaths is how often the service is killed in one operation; a longer one is killed at some of its writes.
const mostDeaths = 12

// TestAnyWriteMayBeTheLast kills the built service at the writes of the operations that remove most, starts it again,
// repeats the call, and compares what is stored with what an undisturbed call leaves.
func TestAnyWriteMayBeTheLast(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, tooManyWrites)
	chosen := slices.DeleteFunc(operations(), func(o operation) bool { return !slices.Contains(deadliest, o.name) })
	require.Len(t, chosen, len(deadliest))
	for _, o := range chosen {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			s := newProcessScene(t)
			normal := s.undisturbed(t, o)
			for k, write := range normal.writes {
				if k%(1+len(normal.writes)/mostDeaths) != 0 {
					continue
				}
				t.Run(fmt.Sprintf("killed at %d %s", k+1, write), func(t *testing.T) {
					s.play(t, func() { s.kill(o, normal, wire.Fault{Write: k + 1, Kind: wire.Unanswered, Counts: isCounted}, true) })
				})
			}
		})
	}
}

func newProcessScene(t testing.TB) *processScene {
	t.Helper()
	proxy, err := wire.Start(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	process := testkit.Run(t, map[string]string{
		"TIDEPOOL_STORE_ADDRESSES": proxy.Address(), "CLINIC_DEMO_PATIENT_USER_ID": demo, "TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT": "10s",
	})
	return &processScene{scene: setScene(t, &process.App, proxy), process: process, whole: t}
}

// processScene is a scene whose service is a process of its own.
type processScene struct {
	*scene
	process *testkit.Process
	whole   testing.TB // the test that the process lives as long as
}

// dieInTransactions kills the service in each transaction of the operation: after a write in the middle, before the commit, and
// before its answer. Where there is no transaction, it dies at writes as they come.
func (s *processScene) dieInTransactions(t *testing.T, o operation, results *table) {
	t.Helper()
	normal := s.undisturbed(t, o)
	die := func(when string, fault wire.Fault, committed bool) {
		t.Run(when, func(t *testing.T) {
			s.play(t, func() { s.kill(o, normal, fault, committed) })
			results.add(o, kill, 1)
		})
	}
	if o.transactions == 0 && len(normal.writes) > 1 {
		for k := range sampled(normal.writes) {
			die(fmt.Sprintf("killed at write %d", k+1), wire.Fault{Write: k + 1, Kind: wire.Unanswered, Counts: isCounted}, true)
		}
	}
	for k, writes := range inside(normal) {
		middle := writes[(len(writes)-1)/2]
		die(fmt.Sprintf("killed at %d", middle), wire.Fault{Write: middle, Kind: wire.Unanswered, Counts: isInside}, false)
		end := commits(normal)[k]
		die(fmt.Sprintf("killed before commit %d", end), wire.Fault{Write: end, Kind: wire.Lost, Counts: isCommit}, false)
		die(fmt.Sprintf("killed after commit %d", end), wire.Fault{Write: end, Kind: wire.Unanswered, Counts: isCommit}, true)
	}
}

// kill plays the operation, kills the service at the fault, and repeats the call against a new process.
func (s *processScene) kill(o operation, normal course, fault wire.Fault, committed bool) {
	s.Helper()
	s.set(o)
	dead := make(chan struct{})
	fault.Reached = func() {
		s.process.Kill()
		close(dead)
	}
	s.proxy.Arm(fault)
	s.unanswered(func() { o.call(s.scene) })
	select {
	case <-dead:
	case <-time.After(10 * time.Second):
		require.Fail(s, "the write did not come")
	}
	s.proxy.Heal()
	require.NoError(s, s.proxy.Expire())
	s.allOrNothing(o, normal)
	if s.witness != nil && o.transactions == 1 {
		wanted := []string{}
		if committed {
			wanted = normal.events
		}
		require.Equal(s, wanted, s.events(), "nothing is told of a transaction that was not committed, and of one that was, all")
	}
	s.process.Start(s.whole, s.process.Environment())
	s.repeatIsRight(o, normal)
	s.sweep()
	left := wire.Down
	if committed && o.twice != nil {
		left = wire.Unanswered
	}
	s.endIsOneOf(o, normal, left, committed)
	if s.witness != nil && !committed {
		s.eventsAreRight(o, normal)
	}
}

// unanswered makes a call that gets no answer.
func (s *scene) unanswered(call func()) {
	before := s.TB
	defer func() { s.TB = before }()
	s.TB = silent{before}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	<-done
}

// silent takes failures for the end of what is tried, and not of the test.
type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}
func (silent) FailNow()              { runtime.Goexit() }
