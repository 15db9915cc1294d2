package races_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// allRounds is how often each race is run. CLINIC_RACE_ROUNDS sets another number, for an engine on which a round takes long.
const allRounds = 25

func rounds(t *testing.T, most int) int {
	t.Helper()
	text := os.Getenv("CLINIC_RACE_ROUNDS")
	if text == "" {
		return most
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "CLINIC_RACE_ROUNDS")
	require.Positive(t, n, "CLINIC_RACE_ROUNDS")
	return min(n, most)
}

// arena is two replicas on one database, and a clinic of a round's own.
type arena struct {
	*testkit.Process
	replicas [2]*testkit.Process
	id       string
	clinicID bson.ObjectID
}

// eachRound runs a race again and again, each time in a new clinic, and says how often it went wrong.
func eachRound(t *testing.T, race func(t *testing.T, a arena)) {
	t.Helper()
	eachRoundOf(t, allRounds, race)
}

func eachRoundOf(t *testing.T, most int, race func(t *testing.T, a arena)) {
	t.Helper()
	if os.Getenv("CLINIC_RACE_ROUNDS") == "" {
		testkit.NotOnSecantus(t, "crowds of callers make it hang; CLINIC_RACE_ROUNDS=1 tries all the same")
	}
	n := rounds(t, most)
	first := testkit.Run(t, nil)
	replicas := [2]*testkit.Process{first, first.Replica(t)}
	violations := 0
	for round := range n {
		id, _ := first.NewClinic(t)
		clinicID, err := bson.ObjectIDFromHex(id)
		require.NoError(t, err)
		if !t.Run(strconv.Itoa(round), func(t *testing.T) {
			race(t, arena{Process: first, replicas: replicas, id: id, clinicID: clinicID})
		}) {
			violations++
		}
	}
	t.Logf("%d of %d rounds went wrong", violations, n)
}

// replica returns one of the two, in turns.
func (a arena) replica(i int) *testkit.Process { return a.replicas[i%len(a.replicas)] }

// together makes all calls at once and returns their answers.
func together(calls ...func() testkit.Response) []testkit.Response {
	answers := make([]testkit.Response, len(calls))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(func() {
			<-start
			answers[i] = call()
		})
	}
	close(start)
	all.Wait()
	return answers
}

func statuses(answers []testkit.Response) map[int]int {
	counts := map[int]int{}
	for _, answer := range answers {
		counts[answer.Status]++
	}
	return counts
}

// set changes fields of the stored clinic.
func (a arena) set(t *testing.T, fields bson.M) {
	t.Helper()
	_, err := a.Store.Collection("clinics").UpdateByID(t.Context(), a.clinicID, bson.M{"$set": fields})
	require.NoError(t, err)
}

// create returns a call that creates a patient through one of the replicas.
func (a arena) create(t *testing.T, i int, extra map[string]any) func() testkit.Response {
	body := map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}
	for name, value := range extra {
		body[name] = value
	}
	return func() testkit.Response {
		return a.replica(i).Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+a.id+"/patients", body)
	}
}

func (a arena) call(t *testing.T, i int, method, path string, body any) func() testkit.Response {
	return func() testkit.Response {
		return a.replica(i).Call(t, testkit.Service, method, "/v1/clinics/"+a.id+path, body)
	}
}

// patients returns the stored patients of the clinic.
func (a arena) patients(t *testing.T) []bson.M {
	t.Helper()
	return testkit.Documents(t, a.Store, "patients", bson.M{"clinicId": a.clinicID})
}

// requireCounts asserts that the numbers that were kept are those that a recount finds.
func (a arena) requireCounts(t *testing.T) {
	t.Helper()
	var drift census.Count
	require.Eventually(t, func() (counted bool) { // the replicas may be counting, too
		var err error
		drift, err = testkit.Census(a.Store, "").Recount(t.Context(), a.clinicID)
		return err == nil
	}, 20*time.Second, 100*time.Millisecond)
	text, err := json.Marshal(drift)
	require.NoError(t, err)
	require.True(t, drift.IsZero(), string(text))
}
