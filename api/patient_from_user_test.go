package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// newPerson makes a user with a full profile known to the neighbours.
func newPerson(t *testing.T, app *testkit.App) string {
	t.Helper()
	id := testkit.NewUserID()
	app.Standin.AddUser(standin.User{UserID: id, Username: "Bo." + id + "@Example.com", Emails: []string{"x@example.com"}, PasswordExists: true})
	app.Standin.AddProfile(id, map[string]any{
		"fullName": "Bo Above", "patient": map[string]any{
			"fullName": "Bo Profile", "birthday": "1970-01-02", "mrn": "from-profile", "targetDevices": []string{"a", "b"}, "email": "no@example.com",
		},
	})
	return id
}

func TestCreatePatientFromUserTakesTheRestFromTheProfile(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := newPerson(t, w.App)
	created := w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, created, w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).OK(t, http.StatusOK).Object(t))
	w.requireStored(t, id, map[string]string{
		"fullName": `"Bo Profile"`, "birthDate": `"1970-01-02"`, "mrn": `"from-profile"`, "targetDevices": `["a", "b"]`,
		"email": `"bo.` + id + `@example.com"`, "requireUniqueMrn": `false`,
	})
	require.Zero(t, w.Standin.Count("POST /v1/clinics/"+w.clinicID), "the user has an account")
	require.Equal(t, map[string]any{"total": 1.0, "demo": 0.0, "plan": 1.0}, w.count(t))
}

func TestCreatePatientFromUserPrefersTheBody(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	site, tag := bson.NewObjectID(), bson.NewObjectID()
	w.set(t, bson.M{"sites": bson.A{bson.M{"id": site, "name": "East"}}})
	id, legacy := newPerson(t, w.App), testkit.NewUserID()
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{
		"permissions": map[string]any{"view": map[string]any{"a": 1}, "note": map[string]any{}}, "isMigrated": true, "legacyClinicianId": legacy,
		"fullName": "Bo Body", "birthDate": "1980-03-04", "mrn": "from-body", "tags": []string{tag.Hex()},
		"sites":          []any{map[string]any{"id": site.Hex(), "name": "x"}, map[string]any{"id": tag.Hex(), "name": "unknown"}},
		"glycemicRanges": map[string]any{"type": "preset", "preset": "adaHighRisk"}, "diagnosisType": "lada",
	}).OK(t, http.StatusOK)
	w.requireStored(t, id, map[string]string{
		"fullName": `"Bo Body"`, "birthDate": `"1980-03-04"`, "mrn": `"from-body"`, "targetDevices": `["a", "b"]`,
		"email": `"bo.` + id + `@example.com"`, "requireUniqueMrn": `false`, "permissions": `{"view": {}, "note": {}}`,
		"isMigrated": `true`, "legacyClinicianIds": `["` + legacy + `"]`, "tags": `[{"$oid": "` + tag.Hex() + `"}]`,
		"sites": `[{"id": {"$oid": "` + site.Hex() + `"}, "name": "East"}]`, "glycemicRanges": `{"type": "preset", "preset": "adaHighRisk"}`,
		"diagnosisType": `"lada"`,
	})
}

func TestCreatePatientFromUserWithoutProfile(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	nobody := testkit.NewUserID()
	w.Standin.AddUser(standin.User{UserID: nobody})
	created := w.Call(t, testkit.Service, http.MethodPost, w.patient(nobody), map[string]any{
		"permissions": map[string]any{}, "tags": []string{}, "sites": []any{},
	}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "", created["fullName"])
	require.Equal(t, "0001-01-01", created["birthDate"])
	w.requireStored(t, nobody, map[string]string{
		"fullName": `null`, "birthDate": `""`, "mrn": `null`, "targetDevices": `null`, "email": `null`, "requireUniqueMrn": `false`,
		"permissions": `{}`, "tags": `[]`,
	})

	odd := testkit.NewUserID()
	w.Standin.AddUser(standin.User{UserID: odd, Username: odd})
	w.Standin.AddProfile(odd, map[string]any{"fullName": "Only Above", "patient": map[string]any{"birthday": "in May", "mrn": ""}})
	w.set(t, bson.M{"mrnSettings": bson.M{"required": false, "unique": true}})
	created = w.Call(t, testkit.Service, http.MethodPost, w.patient(odd), nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "0001-01-01", created["birthDate"])
	document := w.stored(t, odd)
	require.JSONEq(t, `"in May"`, string(document["birthDate"]))
	require.JSONEq(t, `"Only Above"`, string(document["fullName"]))
	require.JSONEq(t, `null`, string(document["mrn"]), "an empty number is none, and clashes with nobody's")
}

func TestCreatePatientFromUserErrors(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := newPerson(t, w.App)
	w.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+bson.NewObjectID().Hex()+"/patients/"+id, nil).Fails(t, http.StatusNotFound, "clinic not found")
	w.Call(t, testkit.Service, http.MethodPost, w.patient("ffffffffff"), nil).Fails(t, http.StatusNotFound, "not found")
	w.Call(t, w.admin, http.MethodPost, w.patient(id), nil).OK(t, http.StatusForbidden)
	w.Call(t, testkit.User(id), http.MethodPost, w.patient(id), nil).OK(t, http.StatusForbidden)
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{"permissions": map[string]any{"view": nil}}).OK(t, http.StatusBadRequest)

	w.set(t, bson.M{"patientCountSettings": bson.M{"hardLimit": bson.M{"plan": 0}}})
	custodial := map[string]any{"permissions": map[string]any{"custodian": map[string]any{}}}
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), custodial).Fails(t, http.StatusPaymentRequired, "payment required: patient count exceeds limit")
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil).OK(t, http.StatusOK)
	require.Equal(t, 1.0, w.count(t)["total"])
}

func TestCreatePatientFromUserAgain(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	id := newPerson(t, w.App)
	first := w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil).OK(t, http.StatusOK).Object(t)
	// The number is the patient's own: that is no clash.
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{"fullName": "Other"}).
		Fails(t, http.StatusConflict, "duplicate: patient is already a member of the clinic")
	require.Equal(t, first, w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t))

	for range 2 {
		again := w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{"fullName": "Other", "legacyClinicianId": "aaaaaaaaaa"}).
			OK(t, http.StatusOK).Object(t)
		require.Equal(t, first["fullName"], again["fullName"])
		require.True(t, moment(t, again["updatedTime"]).After(moment(t, first["updatedTime"])))
		require.JSONEq(t, `["aaaaaaaaaa"]`, string(w.stored(t, id)["legacyClinicianIds"]))
	}
	w.setPatient(t, id, bson.M{"$set": bson.M{"legacyClinicianIds": nil}})
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{"legacyClinicianId": "bbbbbbbbbb"}).OK(t, http.StatusOK)
	require.JSONEq(t, `["bbbbbbbbbb"]`, string(w.stored(t, id)["legacyClinicianIds"]))
	require.Equal(t, 1.0, w.count(t)["total"])
}

func TestRaceForOneMembershipHasOneWinner(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	id := newPerson(t, w.App)
	const racers = 6
	statuses := w.race(t, racers, func() testkit.Response { return w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil) })
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: racers - 1}, statuses)
	require.Equal(t, 1.0, w.count(t)["total"])

	statuses = w.race(t, racers, func() testkit.Response {
		return w.Call(t, testkit.Service, http.MethodPost, w.patient(id), map[string]any{"legacyClinicianId": "aaaaaaaaaa"})
	})
	require.Equal(t, map[int]int{http.StatusOK: racers}, statuses)
	require.JSONEq(t, `["aaaaaaaaaa"]`, string(w.stored(t, id)["legacyClinicianIds"]))
}

func TestBrokenNeighboursAddNoPatient(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	w := newWard(t, app)
	id := newPerson(t, app)
	faults := map[string]standin.Fault{
		"down": {Cut: true}, "slow": {Hang: true}, "failing": {Status: http.StatusInternalServerError}, "garbage": {Status: http.StatusOK, Body: `[`},
	}
	for _, prefix := range []string{"GET /user/", "GET /" + id + "/profile"} {
		for name, fault := range faults {
			app.Standin.Fail(prefix, fault)
			answer := w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil)
			app.Standin.Heal()
			answer.Fails(t, http.StatusInternalServerError, "Internal Server Error")
			require.Zero(t, w.count(t)["total"], name)
		}
	}
	app.Standin.Fail("GET /user/", standin.Fault{Status: http.StatusNoContent})
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), nil).OK(t, http.StatusOK) // COMPAT: a user without data
	require.JSONEq(t, `null`, string(w.stored(t, id)["email"]))
}
