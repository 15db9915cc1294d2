package races_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

const (
	fireTime     = 3 * time.Minute
	fireWriters  = 6
	firePatients = 10_000
	// mendTime is how long after the load the counts may be wrong.
	mendTime = 5 * time.Second
)

// fire is a load on one clinic.
type fire struct {
	arena
	tag     string
	users   []string
	down    atomic.Bool // the second replica was killed
	mu      sync.Mutex
	answers map[bool][]time.Duration // whether it was before the kill
	errors  int
}

// TestLargeCensusUnderFire kills one of two replicas in the middle of a load on a large clinic. The other must go on as before,
// and the counts must be right soon after the load.
func TestLargeCensusUnderFire(t *testing.T) {
	if os.Getenv("CLINIC_LONG_TESTS") == "" {
		t.Skip("a load of three minutes is not tested now: set CLINIC_LONG_TESTS=1, or run `make test-long`")
	}
	first := testkit.Run(t, nil)
	id, _ := first.NewClinic(t)
	clinicID, err := bson.ObjectIDFromHex(id)
	require.NoError(t, err)
	f := &fire{arena: arena{Process: first, replicas: [2]*testkit.Process{first, first.Replica(t)}, id: id, clinicID: clinicID}, answers: map[bool][]time.Duration{}}
	f.tag = f.call(t, 0, http.MethodPost, "/patient_tags", map[string]any{"name": "tag"})().OK(t, http.StatusOK).Object(t)["id"].(string)
	f.set(t, bson.M{"patientCountSettings": bson.M{}}) // no limit
	f.fill(t)
	clinic := f.stored(t)

	end := time.Now().Add(fireTime)
	var all sync.WaitGroup
	for range fireWriters {
		all.Go(func() {
			for time.Now().Before(end) {
				f.write()
			}
		})
	}
	time.Sleep(fireTime / 2)
	f.down.Store(true)
	f.replicas[1].Kill()
	all.Wait()
	f.report(t)
	require.Eventually(t, func() bool { return f.isExact(t) }, mendTime, 200*time.Millisecond, "the counts are right soon after the load")
	f.requireCounts(t)
	require.Equal(t, clinic["updatedTime"], f.stored(t)["updatedTime"], "counting does not touch the clinic")
}

func (f *fire) stored(t *testing.T) bson.M {
	t.Helper()
	return testkit.Documents(t, f.Store, "clinics", bson.M{"_id": f.clinicID})[0]
}

func (f *fire) fill(t *testing.T) {
	t.Helper()
	tag, err := bson.ObjectIDFromHex(f.tag)
	require.NoError(t, err)
	for range firePatients / 1000 {
		batch := make([]any, 1000)
		for i := range batch {
			user := testkit.NewUserID()
			f.users = append(f.users, user)
			batch[i] = bson.M{
				"clinicId": f.clinicID, "userId": user, "fullName": "Ann", "birthDate": "2001-02-03", "tags": bson.A{tag},
				"permissions": bson.M{"view": bson.M{}}, "requireUniqueMrn": false, "createdTime": time.Now(), "updatedTime": time.Now(),
			}
		}
		_, err := f.Store.Collection("patients").InsertMany(t.Context(), batch)
		require.NoError(t, err)
	}
	f.call(t, 0, http.MethodPost, "/patient_count/refresh", nil)().OK(t, http.StatusOK)
}

// write makes one of the writes that change the counts, and takes the time.
func (f *fire) write() {
	down := f.down.Load()
	replica := f.replicas[rand.N(2)]
	if down {
		replica = f.replicas[0]
	}
	method, path := http.MethodPut, "/patients/"+f.users[rand.N(len(f.users))]
	body := map[string]any{"fullName": "Ann", "birthDate": "2001-02-03", "tags": [][]string{{}, {f.tag}}[rand.N(2)]}
	if rand.N(4) == 0 {
		method, path, body = http.MethodPost, "/patients", map[string]any{"fullName": "New", "birthDate": "2001-02-03", "tags": []string{f.tag}}
	}
	encoded, _ := json.Marshal(body) // it is a map of texts
	request, _ := http.NewRequest(method, replica.URL+"/v1/clinics/"+f.id+path, bytes.NewReader(encoded))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-tidepool-session-token", string(testkit.Service))
	start := time.Now()
	answer, err := http.DefaultClient.Do(request)
	took := time.Since(start)
	ok := err == nil && answer.StatusCode == http.StatusOK
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ok {
		f.answers[!down] = append(f.answers[!down], took)
	} else {
		f.errors++
	}
}

func (f *fire) report(t *testing.T) {
	t.Helper()
	rate := map[bool]float64{}
	for _, before := range []bool{true, false} {
		answers := f.answers[before]
		require.NotEmpty(t, answers)
		slices.Sort(answers)
		rate[before] = float64(len(answers)) / (fireTime / 2).Seconds()
		t.Logf("before the kill %t: %.1f writes a second, p50 %s, p99 %s, longest %s", before, rate[before],
			answers[len(answers)/2], answers[len(answers)*99/100], answers[len(answers)-1])
	}
	t.Logf("%d writes failed; after the kill the rate was %.0f %% of that before", f.errors, 100*rate[false]/rate[true])
	require.LessOrEqual(t, f.errors, fireWriters, "only what the killed replica had in hand")
	require.Greater(t, rate[false], 0.8*rate[true])
}

// isExact reports whether the clinic holds the number of its patients, and nothing is left to be mended.
func (f *fire) isExact(t *testing.T) bool {
	if len(testkit.Documents(t, f.Store, "census_changes", bson.M{"clinicId": f.clinicID})) > 0 {
		return false
	}
	n, err := f.Store.Collection("patients").CountDocuments(t.Context(), bson.M{"clinicId": f.clinicID})
	require.NoError(t, err)
	total := member(f.stored(t)["patientCount"], "total")
	number, _ := total.(int32)
	return int64(number) == n
}
