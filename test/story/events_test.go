package story_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// follower follows events as a service does: when the answer ends, it asks again, and says what it saw last.
type follower struct {
	mu      sync.Mutex
	address string
	token   string
	seen    map[string]int // how often patients were told to be new
	answers int
}

func (f *follower) is(at string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address = at
}

// times returns how often a patient was told to be new.
func (f *follower) times(patient string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[patient]
}

// asked returns how many answers began.
func (f *follower) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answers
}

func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		f.read(ctx)
		time.Sleep(20 * time.Millisecond)
	}
}

// read follows until the answer ends, for whatever reason.
func (f *follower) read(ctx context.Context) {
	f.mu.Lock()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address+"/v1/events", nil)
	if f.token != "" && err == nil {
		request.Header.Set("Last-Event-ID", f.token)
	}
	f.mu.Unlock()
	if err != nil {
		return
	}
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return
	}
	f.mu.Lock()
	f.answers++
	f.mu.Unlock()
	var token string
	var change struct{ Kind, Operation, PatientID string }
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "id: "):
			token = strings.TrimPrefix(line, "id: ")
		case strings.HasPrefix(line, "data: "):
			if json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &change) != nil {
				return
			}
		case line == "": // only now is the event whole
			f.mu.Lock()
			f.token = token
			if change.Kind == "patient" && change.Operation == "insert" {
				f.seen[change.PatientID]++
			}
			f.mu.Unlock()
			change.Kind = ""
		}
	}
}

// TestAFollowerLosesNothingWhateverDies kills the replica that a follower reads from, at a random moment of each round,
// while another replica adds patients. The follower goes on by its token.
func TestAFollowerLosesNothingWhateverDies(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	service := testkit.Run(t, nil)
	writer := service.Replica(t)
	clinicID, _ := writer.NewClinic(t)
	f := &follower{address: service.URL, seen: map[string]int{}}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.run(ctx) })
	defer running.Wait()
	defer stop()
	var patients []string
	require.Eventually(t, func() bool { // what was before is not told
		patients = append(patients[:0], writer.NewPatient(t, clinicID, "First Patient", nil)["id"].(string))
		return f.times(patients[0]) == 1
	}, 30*time.Second, 500*time.Millisecond)
	rounds := kills()
	for round := range rounds {
		require.Eventually(t, func() bool { return f.asked() > round }, 30*time.Second, 5*time.Millisecond)
		death := time.AfterFunc(rand.N(200*time.Millisecond), service.Kill)
		for range 3 {
			patients = append(patients, writer.NewPatient(t, clinicID, "Next Patient", nil)["id"].(string))
		}
		time.Sleep(200 * time.Millisecond)
		death.Stop()
		service.Kill()
		patients = append(patients, writer.NewPatient(t, clinicID, "Patient Meanwhile", nil)["id"].(string))
		service.Start(t, service.Environment())
		f.is(service.URL)
	}
	for _, patient := range patients {
		require.Eventually(t, func() bool { return f.times(patient) > 0 }, 30*time.Second, 10*time.Millisecond, "a patient was not told")
	}
	require.Greater(t, f.asked(), rounds)
	t.Logf("%d patients were told in %d answers", len(patients), f.asked())
}

// TestFollowersAreToldToGoElsewhereAtOnce: they do not wait until the listener closes.
func TestFollowersAreToldToGoElsewhereAtOnce(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	const delay = 3 * time.Second
	service := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY": delay.String()})
	f := &follower{address: service.URL, seen: map[string]int{}}
	left := make(chan time.Time, 1)
	go func() {
		f.read(t.Context())
		left <- time.Now()
	}()
	require.Eventually(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.token != "" }, 10*time.Second, 10*time.Millisecond)
	ended := make(chan int, 1)
	start := time.Now()
	go func() { ended <- service.Stop(t) }()
	require.Less(t, (<-left).Sub(start), delay/2)
	service.Call(t, testkit.Service, http.MethodGet, "/v1/events", nil).Fails(t, http.StatusServiceUnavailable, "service unavailable: this replica is about to end")
	require.Zero(t, <-ended)
	require.Less(t, time.Since(start), delay+2*time.Second)
}
