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
					s.play(t, func() { s.kill(o, normal, k+1) })
				})
			}
		})
	}
}

func newProcessScene(t *testing.T) *processScene {
	t.Helper()
	proxy, err := wire.Start(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	process := testkit.Run(t, map[string]string{
		"TIDEPOOL_STORE_ADDRESSES": proxy.Address(), "CLINIC_DEMO_PATIENT_USER_ID": demo,
	})
	return &processScene{scene: setScene(t, &process.App, proxy), process: process, whole: t}
}

// processScene is a scene whose service is a process of its own.
type processScene struct {
	*scene
	process *testkit.Process
	whole   testing.TB // the test that the process lives as long as
}

// kill plays the operation, kills the service after the write, and repeats the call against a new process.
func (s *processScene) kill(o operation, normal course, write int) {
	s.Helper()
	s.set(o)
	dead := make(chan struct{})
	s.proxy.Arm(wire.Fault{Write: write, Kind: wire.Unanswered, Counts: isCounted, Reached: func() {
		s.process.Kill()
		close(dead)
	}})
	s.unanswered(func() { o.call(s.scene) })
	select {
	case <-dead:
	case <-time.After(10 * time.Second):
		require.Fail(s, "the write did not come")
	}
	s.proxy.Heal()
	require.NoError(s, s.proxy.Expire())
	s.allOrNothing(o, normal)
	s.process.Start(s.whole, s.process.Environment())
	s.repeatIsRight(o, normal)
	s.sweep()
	s.endIsRight(o, normal, wire.Down)
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
