package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// creation is a request that makes something, under a name that is free.
type creation struct {
	caller testkit.Caller
	path   string
	body   any
	count  func() int // of what is there
}

func everyCreation(t *testing.T, w ward) map[string]creation {
	t.Helper()
	clinic := "/v1/clinics/" + w.clinicID
	documents := func(collection string, filter bson.M) func() int {
		return func() int { return len(testkit.Documents(t, w.Store, collection, filter)) }
	}
	inClinic := bson.M{"clinicId": w.id(t)}
	in := func(list string) func() int {
		return func() int {
			stored, _ := testkit.Documents(t, w.Store, "clinics", bson.M{"_id": w.id(t)})[0][list].(bson.A)
			return len(stored)
		}
	}
	founder, user, legacy, subject := w.NewUser(t, "Fay"), w.NewUser(t, "Uma"), testkit.NewUserID(), testkit.NewUserID()
	w.Standin.AddUser(standin.User{UserID: legacy, Username: legacy + "@example.com", Emails: []string{legacy + "@example.com"}, Roles: []string{"clinic"}})
	w.Standin.AddClient(standin.Client{ID: subject, Secret: "s3cret", Subject: subject})
	asked := w.add(t, map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}}})["id"].(string)
	requests := func() int {
		stored := testkit.Documents(t, w.Store, "patients", bson.M{"userId": asked})[0]["providerConnectionRequests"]
		if stored == nil {
			return 0
		}
		return len(stored.(bson.D)[0].Value.(bson.A))
	}
	reminded := w.add(t, nil)["id"].(string)
	var reminders []any
	reminder := func() int {
		at := testkit.Documents(t, w.Store, "patients", bson.M{"userId": reminded})[0]["lastUploadReminderTime"]
		if at != nil && !slices.Contains(reminders, at) {
			reminders = append(reminders, at)
		}
		return len(reminders)
	}
	return map[string]creation{
		"clinic": {testkit.User(founder), "/v1/clinics", map[string]any{"name": "New", "preferredBgUnits": "mg/dL"}, documents("clinicians", bson.M{"userId": founder})},
		"legacy": {testkit.Service, "/v1/clinicians/" + legacy + "/migrate", nil, documents("clinics", bson.M{"admins": legacy})},
		"member": {testkit.Service, clinic + "/clinicians", map[string]any{
			"id": testkit.NewUserID(), "email": "mo@example.com", "roles": []string{"CLINIC_ADMIN"},
		}, documents("clinicians", inClinic)},
		"invite": {testkit.Service, clinic + "/clinicians", map[string]any{
			"inviteId": "i-1", "email": "in@example.com", "roles": []string{"CLINIC_MEMBER"},
		}, documents("clinicians", inClinic)},
		"program": {testkit.Service, clinic + "/service_accounts", map[string]any{
			"name": "Bridge", "client_id": subject, "client_secret": "s3cret",
		}, documents("clinicians", inClinic)},
		"patient": {w.admin, clinic + "/patients", map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"}, documents("patients", inClinic)},
		"patient with an address": {w.admin, clinic + "/patients", map[string]any{
			"fullName": "Bea", "birthDate": "1999-12-31", "email": bson.NewObjectID().Hex() + "@example.com", "mrn": "m-7",
		}, documents("patients", inClinic)},
		"patient of a user": {testkit.Service, clinic + "/patients/" + user, map[string]any{"permissions": map[string]any{"view": map[string]any{}}}, documents("patients", inClinic)},
		"tag":               {w.admin, clinic + "/patient_tags", map[string]any{"name": "Blue"}, in("patientTags")},
		"site":              {w.admin, clinic + "/sites", map[string]any{"name": "East"}, in("sites")},
		"reminder":          {w.admin, clinic + "/patients/" + reminded + "/upload_reminder", nil, reminder},
		"connect":           {w.admin, clinic + "/patients/" + asked + "/connect/dexcom", nil, requests},
	}
}

const keyHeader = "Idempotency-Key"

func (w ward) make(t *testing.T, of creation, key string) testkit.Response {
	t.Helper()
	return w.with(t, of.caller, http.MethodPost, of.path, of.body, keyHeader, key)
}

func TestARepeatWithTheSameKeyMakesNothing(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	for name, of := range everyCreation(t, w) {
		before := of.count()
		key := bson.NewObjectID().Hex()
		first := w.make(t, of, key)
		require.Contains(t, []int{http.StatusOK, http.StatusNoContent}, first.Status, "%s: %s", name, first.Body)
		require.Equal(t, before+1, of.count(), name)
		for range 2 {
			again := w.make(t, of, key)
			require.Equal(t, first.Status, again.Status, name)
			require.Equal(t, string(first.Body), string(again.Body), name)
			require.Equal(t, first.Header.Get("Content-Type"), again.Header.Get("Content-Type"))
		}
		require.Equal(t, before+1, of.count(), name)
		require.Zero(t, len(testkit.Documents(t, w.Store, "leases", bson.M{"_id": bson.M{"$regex": "^idempotency/"}, "until": bson.M{"$lt": time.Now().Add(-time.Minute)}})))
	}
}

// What a request whose process died has made is found by its repeat, wherever it was cut off.
func TestARepeatFindsWhatWasMade(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	for name, of := range everyCreation(t, w) {
		before := of.count()
		key := bson.NewObjectID().Hex()
		first := w.make(t, of, key)
		require.Equal(t, before+1, of.count(), name)
		w.forgetAnswers(t)
		again := w.make(t, of, key)
		require.Equal(t, first.Status, again.Status, name)
		require.Equal(t, string(first.Body), string(again.Body), name)
		require.Equal(t, before+1, of.count(), name)
	}
}

// forgetAnswers makes all keys be those of requests that were cut off after the work.
func (w ward) forgetAnswers(t *testing.T) {
	t.Helper()
	_, err := w.Store.Collection("idempotency_keys").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"status": 0}})
	require.NoError(t, err)
}

// Without transactions, a crash may leave the founder and the demo patient of a clinic that is not there.
func TestARepeatCompletesAClinic(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "stages a crash between two writes, which are one transaction")
	w := newWard(t, testkit.Start(t))
	of := everyCreation(t, w)["clinic"]
	first := w.make(t, of, "k").OK(t, http.StatusOK).Object(t)
	_, err := w.Store.Collection("clinics").DeleteOne(t.Context(), bson.M{"_id": oid(t, first["id"].(string))})
	require.NoError(t, err)
	w.forgetAnswers(t)
	again := w.make(t, of, "k").OK(t, http.StatusOK).Object(t)
	require.Equal(t, first["id"], again["id"])
	require.Equal(t, 1, of.count())
}

func TestARepeatMakesTheMemberAnAdmin(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "stages a crash between two writes, which are one transaction")
	w := newWard(t, testkit.Start(t))
	of := everyCreation(t, w)["member"]
	id := w.make(t, of, "k").OK(t, http.StatusOK).Object(t)["id"]
	_, err := w.Store.Collection("clinics").UpdateByID(t.Context(), w.id(t), bson.M{"$pull": bson.M{"admins": id}})
	require.NoError(t, err)
	w.forgetAnswers(t)
	w.make(t, of, "k").OK(t, http.StatusOK)
	require.Equal(t, bson.A{w.adminID, id}, storedAdmins(t, w.App, w.clinicID))
}

func TestSimultaneousRequestsWithAKeyMakeOne(t *testing.T) {
	t.Parallel()
	const callers = 5
	w := newWard(t, testkit.Shared(t))
	testkit.NotOnSecantus(t, "two callers may take the same lease there")
	for name, of := range everyCreation(t, w) {
		before := of.count()
		key := bson.NewObjectID().Hex()
		var mu sync.Mutex
		bodies := map[string]int{}
		var calls sync.WaitGroup
		for range callers {
			calls.Go(func() {
				answer := w.make(t, of, key)
				mu.Lock()
				defer mu.Unlock()
				if answer.Status == http.StatusConflict {
					require.Equal(t, "idempotency_key_in_use", answer.Object(t)["reason"], name)
					require.Equal(t, "2", answer.Header.Get("Retry-After"))
					return
				}
				require.Less(t, answer.Status, 300, string(answer.Body))
				bodies[string(answer.Body)]++
			})
		}
		calls.Wait()
		require.Len(t, bodies, 1, name)
		require.Equal(t, before+1, of.count(), name)
	}
}

func TestKeysOfOtherRequests(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	tags := "/v1/clinics/" + w.clinicID + "/patient_tags"
	tag := func(caller testkit.Caller, name, key string) testkit.Response {
		return w.with(t, caller, http.MethodPost, tags, map[string]any{"name": name}, keyHeader, key)
	}
	id := tag(w.admin, "Blue", "k").OK(t, http.StatusOK).Object(t)["id"].(string)
	reused := "conflict: the Idempotency-Key was sent with another request"
	tag(w.admin, "Red", "k").Fails(t, http.StatusConflict, reused)
	other := newWard(t, w.App)
	w.with(t, testkit.Service, http.MethodPost, tags, `x`, keyHeader, "k").OK(t, http.StatusBadRequest)
	tag(testkit.Service, "Red", "k").OK(t, http.StatusOK) // another caller
	w.with(t, testkit.Service, http.MethodPost, "/v1/clinics/"+other.clinicID+"/patient_tags", map[string]any{"name": "Red"}, keyHeader, "k").
		Fails(t, http.StatusConflict, reused)
	w.with(t, w.admin, http.MethodPost, "/v1/clinics/"+w.clinicID+"/sites", map[string]any{"name": "Blue"}, keyHeader, "k").OK(t, http.StatusOK)

	form := "bad request: an Idempotency-Key has 1 to 255 visible characters of ASCII"
	for _, key := range []string{"", "a b", "é", strings.Repeat("k", 256)} {
		tag(w.admin, "Green", key).Fails(t, http.StatusBadRequest, form)
	}
	tag(w.admin, "Green", strings.Repeat("k", 255)).OK(t, http.StatusOK)
	w.with(t, w.admin, http.MethodPost, tags, map[string]any{"name": "Pink"}, keyHeader, "a", keyHeader, "b").Fails(t, http.StatusBadRequest, form)

	w.Call(t, w.admin, http.MethodDelete, tags+"/"+id, nil).OK(t, http.StatusNoContent)
	tag(w.admin, "Blue", "k").Fails(t, http.StatusNotFound, "what the first request made is not there any more")
}

// Who was refused may mend the cause and send the same again.
func TestARefusalLeavesTheKeyFree(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	tags := "/v1/clinics/" + w.clinicID + "/patient_tags"
	blue := map[string]any{"name": "Blue"}
	id := w.Call(t, w.admin, http.MethodPost, tags, blue).OK(t, http.StatusOK).Object(t)["id"].(string)
	w.with(t, w.admin, http.MethodPost, tags, blue, keyHeader, "k").Fails(t, http.StatusConflict, "duplicate patient tag")
	w.Call(t, w.admin, http.MethodDelete, tags+"/"+id, nil).OK(t, http.StatusNoContent)
	w.with(t, w.admin, http.MethodPost, tags, blue, keyHeader, "k").OK(t, http.StatusOK)
}

// After a failure of a neighbour a repeat goes on, with the account that may have been made.
func TestARepeatAfterAFailureGoesOn(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Start(t))
	of := everyCreation(t, w)["patient with an address"]
	before := of.count()
	w.Standin.Fail("POST /v1/clinics/"+w.clinicID+"/users", standin.Fault{Status: http.StatusInternalServerError})
	require.GreaterOrEqual(t, w.make(t, of, "k").Status, http.StatusInternalServerError)
	w.Standin.Heal()
	w.make(t, of, "k").OK(t, http.StatusOK)
	require.Equal(t, before+1, of.count())
}

func TestOfAPatientAKeyHoldsNothing(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Start(t))
	w.make(t, everyCreation(t, w)["patient with an address"], "my-key").OK(t, http.StatusOK)
	stored := testkit.Documents(t, w.Store, "idempotency_keys", bson.M{})
	require.Len(t, stored, 1)
	require.ElementsMatch(t, []string{"_id", "content", "made", "time", "status"}, slices.Collect(maps.Keys(stored[0])))
	require.Regexp(t, "^[0-9a-f]{64}$", stored[0]["_id"])
	require.Regexp(t, "^[0-9a-f]{64}$", stored[0]["content"])
	require.EqualValues(t, http.StatusOK, stored[0]["status"])
}
