package api_test

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const allPermissions = `{"custodian": {}, "view": {}, "upload": {}, "note": {}}`

func TestCreatePatientAccountStoresJustWhatWasGiven(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	minimal := map[string]string{
		"fullName": `"Ann"`, "birthDate": `"2001-02-03"`, "email": `null`, "mrn": `null`, "targetDevices": `null`,
		"permissions": allPermissions, "requireUniqueMrn": `false`,
	}
	body := map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}

	byServer := w.Call(t, testkit.Service, http.MethodPost, w.patients(), body).OK(t, http.StatusOK).Object(t)
	w.requireStored(t, byServer["id"], minimal)

	byMember := w.Call(t, testkit.User(w.NewMember(t, w.clinicID, "CLINIC_MEMBER")), http.MethodPost, w.patients(), body).OK(t, http.StatusOK).Object(t)
	require.Contains(t, w.stored(t, byMember["id"]), "invitedBy")

	byAdmin := w.add(t, nil)
	minimal["invitedBy"] = `"` + w.adminID + `"`
	w.requireStored(t, byAdmin["id"], minimal)
	require.Equal(t, byAdmin, w.Call(t, w.admin, http.MethodGet, w.patient(byAdmin["id"]), nil).OK(t, http.StatusOK).Object(t))
	require.Equal(t, byAdmin["createdTime"], byAdmin["updatedTime"])
	require.WithinDuration(t, time.Now(), moment(t, byAdmin["createdTime"]), time.Minute)
	require.Equal(t, map[string]any{"total": 3.0, "demo": 0.0, "plan": 3.0}, w.count(t))
}

func TestCreatePatientAccountStoresEveryField(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	site, tag := bson.NewObjectID(), bson.NewObjectID()
	w.set(t, bson.M{"sites": bson.A{bson.M{"id": site, "name": "East"}}})
	patient := w.add(t, map[string]any{
		"id": "abcdef0123", "email": "Ann.Upper@Example.com", "mrn": "m-1", "targetDevices": []string{"a"},
		"permissions": map[string]any{"view": map[string]any{}}, "summary": map[string]any{},
		"createdTime": "2011-01-01T00:00:00Z", "lastUploadReminderTime": "2011-01-01T00:00:00Z", "attestationSubmitted": true,
		"tags": []string{tag.Hex()}, "sites": []any{map[string]any{"id": site.Hex(), "name": "x"}, map[string]any{"id": site.Hex(), "name": "y"}},
		"dataSources": []any{map[string]any{
			"providerName": "abbott", "state": "connected", "dataSourceId": "5f0000000000000000000001",
			"modifiedTime": "2023-03-04T05:06:07.891999Z", "expirationTime": "2023-04-01T00:00:00+02:00",
		}},
		"reviews":        []any{map[string]any{"clinicianId": "c", "time": "2021-05-06T07:08:09.5-05:00"}},
		"glycemicRanges": ownRanges(3.9), "diagnosisType": "type1", "unknown": 1,
	})
	require.Equal(t, patient, w.Call(t, w.admin, http.MethodGet, w.patient(patient["id"]), nil).OK(t, http.StatusOK).Object(t))
	w.requireStored(t, patient["id"], map[string]string{
		"fullName": `"Ann"`, "birthDate": `"2001-02-03"`, "email": `"ann.upper@example.com"`, "mrn": `"m-1"`,
		"targetDevices": `["a"]`, "permissions": allPermissions, "requireUniqueMrn": `false`, "invitedBy": `"` + w.adminID + `"`,
		"tags":  `[{"$oid": "` + tag.Hex() + `"}]`,
		"sites": `[{"id": {"$oid": "` + site.Hex() + `"}, "name": "East"}]`,
		"dataSources": `[{"dataSourceId": {"$oid": "5f0000000000000000000001"}, "providerName": "abbott", "state": "connected",
			"modifiedTime": {"$date": {"$numberLong": "1677906367891"}}, "expirationTime": {"$date": {"$numberLong": "1680300000000"}}}]`,
		"reviews": `[{"clinicianId": "c", "time": {"$date": {"$numberLong": "1620302889500"}}}]`,
		"glycemicRanges": `{"type": "custom", "custom": {"name": "own", "thresholds": [{"name": "low", "inclusive": false,
			"upperBound": {"value": {"$numberDouble": "3.9000000953674316"}, "units": "mmol/L"}}]}}`,
		"diagnosisType": `"type1"`,
	})
	calls := w.Standin.Calls("POST /v1/clinics/" + w.clinicID)
	require.Len(t, calls, 1)
	require.JSONEq(t, `{"username": "ann.upper@example.com", "emails": ["ann.upper@example.com"]}`, calls[0].Body)
}

func ownRanges(low float64) map[string]any {
	return map[string]any{"type": "custom", "custom": map[string]any{"name": "own", "thresholds": []any{
		map[string]any{"name": "low", "upperBound": map[string]any{"value": low, "units": "mmol/L"}},
	}}}
}

func TestCreatePatientAccountAbsentNullAndEmpty(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	tests := map[string]struct {
		field  string
		value  any
		stored string // "" means that the field is absent
	}{
		"empty tags":           {"tags", []string{}, `[]`},
		"null tags":            {"tags", nil, ``},
		"empty sites":          {"sites", []string{}, `[]`},
		"empty devices":        {"targetDevices", []string{}, `[]`},
		"empty data sources":   {"dataSources", []string{}, `null`},
		"null data sources":    {"dataSources", nil, ``},
		"empty reviews":        {"reviews", []string{}, ``},
		"null reviews":         {"reviews", nil, ``},
		"empty address":        {"email", "", `null`},
		"no address":           {"email", "Nope " + w.clinicID, `"nope ` + w.clinicID + `"`},
		"empty diagnosis":      {"diagnosisType", "", `""`},
		"ranges without type":  {"glycemicRanges", map[string]any{}, `{"type": "preset", "preset": "adaStandard"}`},
		"preset only by type":  {"glycemicRanges", map[string]any{"type": "preset"}, `{"type": "preset", "preset": "adaStandard"}`},
		"custom without value": {"glycemicRanges", map[string]any{"type": "custom", "preset": "adaHighRisk"}, `{"type": "custom"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := w.stored(t, w.add(t, map[string]any{test.field: test.value})["id"])
			if test.stored == "" {
				require.NotContains(t, document, test.field)
				return
			}
			require.JSONEq(t, test.stored, string(document[test.field]))
		})
	}
}

func TestCreatePatientAccountRefusesBeforeAnythingHappens(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	foreign := bson.NewObjectID().Hex()
	source := func(field, value string) map[string]any {
		return map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending", field: value}}}
	}
	tests := map[string]struct {
		clinic  bson.M
		body    any
		status  int
		message string // a part of it
	}{
		"no body":              {nil, nil, http.StatusBadRequest, "value is required but missing"},
		"null":                 {nil, "null", http.StatusBadRequest, ""},
		"no such day":          {nil, map[string]any{"birthDate": "2001-02-31"}, http.StatusBadRequest, ""},
		"null address":         {nil, map[string]any{"email": nil}, http.StatusBadRequest, "/email"},
		"empty number":         {nil, map[string]any{"mrn": ""}, http.StatusBadRequest, "/mrn"},
		"tag twice":            {nil, map[string]any{"tags": []string{foreign, foreign}}, http.StatusBadRequest, "/tags"},
		"time without zone":    {nil, source("modifiedTime", "2023-03-04T05:06:07"), http.StatusBadRequest, ""},
		"time after year 9999": {nil, source("latestDataTime", "9999-12-31T23:59:59-01:00"), http.StatusBadRequest, "bad request: a time is out of range"},
		"threshold too large":  {nil, map[string]any{"glycemicRanges": ownRanges(1e39)}, http.StatusBadRequest, "bad request: the value of a threshold is out of range"},
		"incomplete requests":  {nil, map[string]any{"connectionRequests": map[string]any{}}, http.StatusBadRequest, "/connectionRequests"},
		"unknown site": {bson.M{"sites": bson.A{bson.M{"id": bson.NewObjectID(), "name": "East"}}},
			map[string]any{"sites": []any{map[string]any{"id": foreign, "name": "East"}}},
			http.StatusUnprocessableEntity, "constraint violation: the clinic has no site with that name"},
		"no number where required": {bson.M{"mrnSettings": bson.M{"required": true, "unique": false}}, map[string]any{},
			http.StatusBadRequest, "bad request: mrn is required"},
		"limit reached": {bson.M{"patientCountSettings": bson.M{"hardLimit": bson.M{"plan": 0}}}, map[string]any{},
			http.StatusPaymentRequired, "payment required: patient count exceeds limit"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWard(t, app)
			if test.clinic != nil {
				w.set(t, test.clinic)
			}
			body := test.body
			if extra, ok := body.(map[string]any); ok {
				body = map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}
				maps.Copy(body.(map[string]any), extra)
			}
			answer := w.Call(t, w.admin, http.MethodPost, w.patients(), body).OK(t, test.status)
			require.Contains(t, answer.Object(t)["message"], test.message)
			require.Zero(t, w.Standin.Count("POST /v1/clinics/"+w.clinicID), "no account must be made")
			require.Zero(t, w.count(t)["total"])
		})
	}
}

func TestCreatePatientAccountInUnknownClinic(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := "/v1/clinics/" + bson.NewObjectID().Hex() + "/patients"
	body := map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}
	app.Call(t, testkit.Service, http.MethodPost, path, body).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodPost, path, body).OK(t, http.StatusForbidden)
	app.Call(t, testkit.Nobody, http.MethodPost, path, body).OK(t, http.StatusBadRequest)
}

func TestHardLimitCountsWhatIsNotTwiist(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.set(t, bson.M{"patientCountSettings": bson.M{"hardLimit": bson.M{"plan": 1}}})
	first := w.add(t, nil)
	second := map[string]any{"fullName": "Bea", "birthDate": "2001-02-03"}
	w.Call(t, w.admin, http.MethodPost, w.patients(), second).Fails(t, http.StatusPaymentRequired, "payment required: patient count exceeds limit")
	first["dataSources"] = []any{map[string]any{"providerName": "twiist", "state": "connected"}}
	w.Call(t, w.admin, http.MethodPut, w.patient(first["id"]), first).OK(t, http.StatusOK)
	w.Call(t, w.admin, http.MethodPost, w.patients(), second).OK(t, http.StatusOK)
	require.Equal(t, map[string]any{"total": 2.0, "demo": 0.0, "plan": 1.0, "providers": map[string]any{
		"twiist": map[string]any{"states": map[string]any{"connected": 1.0}, "total": 1.0},
	}}, w.count(t))
}

func TestUniqueNumbersIgnoreCaseAndAccentsAndFlags(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.add(t, map[string]any{"mrn": "Ménière"}) // before numbers had to be unique
	w.set(t, bson.M{"mrnSettings": bson.M{"required": false, "unique": true}})
	for _, taken := range []string{"Ménière", "MENIERE", "meniere"} {
		w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Bea", "birthDate": "2001-02-03", "mrn": taken}).
			Fails(t, http.StatusBadRequest, "bad request: mrn must be unique")
	}
	other := newWard(t, w.App)
	other.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	other.add(t, map[string]any{"mrn": "MENIERE"}) // another clinic
	for range 2 {
		require.JSONEq(t, `true`, string(w.stored(t, w.add(t, nil)["id"])["requireUniqueMrn"])) // those without a number never clash
	}
}

func TestRaceForOneNumberHasOneWinner(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	const racers = 6
	statuses := w.race(t, racers, func() testkit.Response {
		return w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Ann", "birthDate": "2001-02-03", "mrn": "one"})
	})
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusBadRequest: racers - 1}, statuses)
	require.Equal(t, map[string]any{"total": 1.0, "demo": 0.0, "plan": 1.0}, w.count(t))
}

// race makes the same call from several callers at once and returns how often each status was answered.
func (w ward) race(t *testing.T, racers int, call func() testkit.Response) map[int]int {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	statuses := map[int]int{}
	for range racers {
		group.Go(func() {
			status := call().Status
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	group.Wait()
	return statuses
}

func TestAddressOfAnotherAccountIsTaken(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	taken := w.NewUser(t, "Somebody") + "@example.com"
	for range 2 {
		w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Ann", "birthDate": "2001-02-03", "email": strings.ToUpper(taken)}).
			Fails(t, http.StatusConflict, "duplicate: email address is already taken")
	}
	require.Zero(t, w.count(t)["total"])
}

func TestBrokenUserServiceCreatesNoPatient(t *testing.T) {
	t.Parallel()
	faults := map[string]standin.Fault{
		"down":            {Cut: true},
		"slow":            {Hang: true},
		"failing":         {Status: http.StatusInternalServerError},
		"wrong status":    {Status: http.StatusOK, Body: `{"userid": "a1b2c3d4e5"}`},
		"garbage":         {Status: http.StatusCreated, Body: `<html>`},
		"cut in the body": {Status: http.StatusCreated, Body: `{"userid": "a1b2c3d4e5"}`, Cut: true},
		"no id":           {Status: http.StatusCreated, Body: `{}`},
	}
	app := testkit.Start(t)
	w := newWard(t, app)
	for name, fault := range faults { // one after another: a fault is everybody's
		app.Standin.Fail("POST /v1/clinics/", fault)
		start := time.Now()
		answer := w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"})
		app.Standin.Heal()
		answer.Fails(t, http.StatusInternalServerError, "Internal Server Error")
		require.Less(t, time.Since(start), 5*time.Second, name)
		require.Zero(t, w.count(t)["total"], name)
		require.Empty(t, testkit.Documents(t, app.Store, "patients", bson.M{}), name)
	}
	w.add(t, nil)
}
