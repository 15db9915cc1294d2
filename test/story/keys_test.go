package story_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// leasePatience is how long what dead processes hold may bar a repeat.
const leasePatience = 2 * time.Minute

// keyed is a request with a key.
type keyed struct {
	what   string
	caller testkit.Caller
	path   string
	body   any
	key    string
	made   func() int
	// also has to be one in the end, but may be there too soon.
	also func() int
}

// TestKeysSurviveKills: the service is killed while it makes one of everything, again and again. Then each request is repeated
// with its key, and there is one of everything, not two, and not none.
func TestKeysSurviveKills(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT": "10s"})
	all := oneOfEach(t, service)
	began := time.Now()
	answered := sendAll(t, service, all, func() {})
	require.Equal(t, len(all), answered)
	whole := time.Since(began) // a kill comes at any moment of that
	for range kills() {
		round := oneOfEach(t, service)
		environment := service.Environment()
		answered += sendAll(t, service, round, func() {
			time.Sleep(rand.N(whole))
			service.Kill()
		})
		service.Start(t, environment)
		all = append(all, round...)
	}
	done := 0
	for _, request := range all {
		done += request.made()
	}
	t.Logf("of %d requests, %d were answered, and %d had acted, when their process died", len(all), answered, done)
	repeatAll(t, service, all)
	for _, request := range all {
		require.Equal(t, 1, request.made(), request.what)
		if request.also != nil {
			require.Equal(t, 1, request.also(), request.what)
		}
		status, body := request.send(t, service)
		require.Less(t, status, http.StatusMultipleChoices, "%s: %s", request.what, body)
		require.Equal(t, 1, request.made(), request.what)
	}
}

// sendAll sends all at once, and returns how many succeeded.
func sendAll(t *testing.T, service *testkit.Process, all []keyed, meanwhile func()) int {
	t.Helper()
	var succeeded atomic.Int32
	var calls sync.WaitGroup
	for _, request := range all {
		calls.Go(func() {
			if status, _ := request.send(t, service); status >= http.StatusOK && status < http.StatusMultipleChoices {
				succeeded.Add(1)
			}
		})
	}
	meanwhile()
	calls.Wait()
	return int(succeeded.Load())
}

// repeatAll repeats what is not done until it is, a few at a time.
func repeatAll(t *testing.T, service *testkit.Process, all []keyed) {
	t.Helper()
	requests := make(chan keyed)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for request := range requests {
				for deadline := time.Now().Add(leasePatience); ; time.Sleep(500 * time.Millisecond) {
					status, body := request.send(t, service)
					if status >= http.StatusOK && status < http.StatusMultipleChoices {
						break
					}
					if status != http.StatusConflict && status < http.StatusInternalServerError || time.Now().After(deadline) {
						t.Errorf("%s: %d %s", request.what, status, body)
						break
					}
				}
			}
		})
	}
	for _, request := range all {
		requests <- request
	}
	close(requests)
	callers.Wait()
	require.False(t, t.Failed())
}

// send returns the status of the answer, 0 if there is none.
func (k keyed) send(t *testing.T, service *testkit.Process) (int, string) {
	content, err := json.Marshal(k.body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, service.URL+k.path, bytes.NewReader(content))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", k.key)
	request.Header.Set("x-tidepool-session-token", string(k.caller))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, body.String()
}

// oneOfEach returns a request for each kind of thing, in a new clinic.
func oneOfEach(t *testing.T, service *testkit.Process) []keyed {
	t.Helper()
	clinicID, ada := service.NewClinic(t)
	founder, user := service.NewUser(t, "Fay Founder"), service.NewUser(t, "Uma User")
	sources := map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}}}
	asked := service.NewPatient(t, clinicID, "Asked", sources)["id"].(string)
	reminded := service.NewPatient(t, clinicID, "Reminded", nil)["id"].(string)
	id, err := bson.ObjectIDFromHex(clinicID)
	require.NoError(t, err)
	count := func(collection string, filter bson.M) func() int {
		return func() int {
			n, err := service.Store.Collection(collection).CountDocuments(t.Context(), filter)
			require.NoError(t, err)
			return int(n)
		}
	}
	list := func(collection string, filter bson.M, path ...string) func() int {
		return func() int {
			raw, err := service.Store.Collection(collection).FindOne(t.Context(), filter).Raw()
			require.NoError(t, err)
			found, _ := raw.Lookup(path...).ArrayOK()
			values, err := found.Values()
			require.True(t, err == nil || len(found) == 0)
			return len(values)
		}
	}
	path, email, member := "/v1/clinics/"+clinicID, bson.NewObjectID().Hex()+"@example.com", testkit.NewUserID()
	patient := map[string]any{"fullName": "Bea", "birthDate": "1999-12-31", "mrn": "with-address", "email": email}
	admin := testkit.User(ada)
	requests := []keyed{
		{what: "clinic", caller: testkit.User(founder), path: "/v1/clinics", body: map[string]any{"name": "New", "preferredBgUnits": "mg/dL"}, made: count("clinics", bson.M{"admins": founder}), also: count("clinicians", bson.M{"userId": founder})},
		{what: "member", caller: testkit.Service, path: path + "/clinicians", body: map[string]any{"id": member, "email": "mo@example.com", "roles": []string{"CLINIC_ADMIN"}}, made: count("clinicians", bson.M{"userId": member}), also: count("clinics", bson.M{"admins": member})},
		{what: "patient", caller: admin, path: path + "/patients", body: map[string]any{"fullName": "Cy", "birthDate": "1999-12-31"}, made: count("patients", bson.M{"clinicId": id, "fullName": "Cy"})},
		{what: "patient with an address", caller: admin, path: path + "/patients", body: patient, made: count("patients", bson.M{"clinicId": id, "email": email})},
		{what: "patient of a user", caller: testkit.Service, path: path + "/patients/" + user, body: map[string]any{"permissions": map[string]any{"view": map[string]any{}}}, made: count("patients", bson.M{"userId": user})},
		{what: "tag", caller: admin, path: path + "/patient_tags", body: map[string]any{"name": "Blue"}, made: list("clinics", bson.M{"_id": id}, "patientTags")},
		{what: "site", caller: admin, path: path + "/sites", body: map[string]any{"name": "East"}, made: list("clinics", bson.M{"_id": id}, "sites")},
		{what: "connection", caller: admin, path: path + "/patients/" + asked + "/connect/dexcom", made: list("patients", bson.M{"userId": asked}, "providerConnectionRequests", "dexcom")},
		{what: "reminder", caller: admin, path: path + "/patients/" + reminded + "/upload_reminder", made: count("patients", bson.M{"userId": reminded, "lastUploadReminderTime": bson.M{"$type": "date"}})},
	}
	for i := range requests {
		requests[i].key = bson.NewObjectID().Hex()
	}
	return requests
}
