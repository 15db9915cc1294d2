package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// fullBody holds every member that an update can set.
func fullBody(site, tag bson.ObjectID) map[string]any {
	return map[string]any{
		"email": bson.NewObjectID().Hex() + "@example.com", "mrn": "m-1", "targetDevices": []string{"a"}, "tags": []string{tag.Hex()},
		"sites":         []any{map[string]any{"id": site.Hex(), "name": "East"}},
		"dataSources":   []any{map[string]any{"providerName": "dexcom", "state": "pending"}},
		"reviews":       []any{map[string]any{"clinicianId": "c", "time": "2021-05-06T07:08:09Z"}},
		"diagnosisType": "type1", "glycemicRanges": map[string]any{"type": "preset", "preset": "adaHighRisk"},
	}
}

func TestUpdatePatientAbsentNullAndEmpty(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	unchanged := "unchanged"
	tests := map[string]struct {
		body   string // members besides the required ones
		field  string
		stored string
	}{
		"absent address":        {``, "email", `null`},
		"absent number":         {``, "mrn", `null`},
		"absent devices":        {``, "targetDevices", `null`},
		"absent tags":           {``, "tags", unchanged},
		"absent sites":          {``, "sites", unchanged},
		"absent data sources":   {``, "dataSources", unchanged},
		"absent reviews":        {``, "reviews", unchanged},
		"absent ranges":         {``, "glycemicRanges", unchanged},
		"absent diagnosis":      {``, "diagnosisType", unchanged},
		"permissions":           {`, "permissions": {"view": {}}`, "permissions", unchanged},
		"createdTime":           {`, "createdTime": "2001-01-01T00:00:00Z"`, "createdTime", unchanged},
		"inviter":               {``, "invitedBy", unchanged},
		"null tags":             {`, "tags": null`, "tags", unchanged},
		"null data sources":     {`, "dataSources": null`, "dataSources", unchanged},
		"null reviews":          {`, "reviews": null`, "reviews", unchanged},
		"empty address":         {`, "email": ""`, "email", `null`},
		"empty tags":            {`, "tags": []`, "tags", `[]`},
		"empty sites":           {`, "sites": []`, "sites", `[]`},
		"empty data sources":    {`, "dataSources": []`, "dataSources", `null`},
		"empty devices":         {`, "targetDevices": []`, "targetDevices", `[]`},
		"empty reviews":         {`, "reviews": []`, "reviews", unchanged},
		"empty diagnosis":       {`, "diagnosisType": ""`, "diagnosisType", `""`},
		"other reviews":         {`, "reviews": [{"clinicianId": "d", "time": "1970-01-01T00:00:00Z"}]`, "reviews", `[{"clinicianId": "d", "time": {"$date": {"$numberLong": "0"}}}]`},
		"ranges of custom type": {`, "glycemicRanges": {"type": "custom"}`, "glycemicRanges", `{"type": "custom"}`},
		"name":                  {``, "fullName", `"Bea"`},
		"birth date":            {``, "birthDate", `"1999-12-31"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWard(t, app)
			site := bson.NewObjectID()
			w.set(t, bson.M{"sites": bson.A{bson.M{"id": site, "name": "East"}}})
			id := w.add(t, fullBody(site, bson.NewObjectID()))["id"]
			before := w.stored(t, id)
			updated := w.Call(t, w.admin, http.MethodPut, w.patient(id), `{"fullName": "Bea", "birthDate": "1999-12-31"`+test.body+`}`).
				OK(t, http.StatusOK).Object(t)
			require.Equal(t, updated, w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t))
			want := test.stored
			if want == unchanged {
				want = string(before[test.field])
			}
			after := w.stored(t, id)
			require.JSONEq(t, want, string(after[test.field]))
			require.NotEqual(t, before["updatedTime"], after["updatedTime"])
		})
	}
}

func TestUpdatePatientKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"]
	w.setPatient(t, id, bson.M{"$set": bson.M{"ofAnotherService": bson.M{"a": int64(1)}, "derived": bson.M{"x": 1}}, "$unset": bson.M{"updatedTime": ""}})
	w.Call(t, w.admin, http.MethodPut, w.patient(id), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"}).OK(t, http.StatusOK)
	document := w.stored(t, id)
	require.JSONEq(t, `{"a": {"$numberLong": "1"}}`, string(document["ofAnotherService"]))
	require.JSONEq(t, `{"x": {"$numberInt": "1"}}`, string(document["derived"]))
	require.Contains(t, document, "updatedTime")
}

func TestWhatIsReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	site := bson.NewObjectID()
	w.set(t, bson.M{"sites": bson.A{bson.M{"id": site, "name": "East"}}})
	id := w.add(t, fullBody(site, bson.NewObjectID()))["id"]
	w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+id.(string)+"/summary", summaryBody("0a", "0b")).OK(t, http.StatusOK)
	w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
	w.Call(t, w.admin, http.MethodPost, w.patient(id, "upload_reminder"), nil).OK(t, http.StatusOK)
	read := w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).OK(t, http.StatusOK).Object(t)
	read["ofTheClient"] = map[string]any{"selected": true}
	updated := w.Call(t, w.admin, http.MethodPut, w.patient(id), read).OK(t, http.StatusOK).Object(t)
	delete(read, "ofTheClient")
	delete(read, "updatedTime")
	delete(updated, "updatedTime")
	require.Equal(t, read, updated)

	empty := w.add(t, nil)
	again := w.Call(t, w.admin, http.MethodPut, w.patient(empty["id"]), empty).OK(t, http.StatusOK).Object(t)
	delete(empty, "updatedTime")
	delete(again, "updatedTime")
	require.Equal(t, empty, again)
}

func TestTwoEditorsLoseNothingThatTheyDidNotTouch(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it is so slow that some of eight pairs of requests wait too long for their turn")
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}}})["id"]
	const rounds = 8
	statuses := w.race(t, rounds, func() testkit.Response {
		w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
		return w.Call(t, w.admin, http.MethodPut, w.patient(id), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31", "tags": []string{bson.NewObjectID().Hex()}})
	})
	require.Equal(t, map[int]int{http.StatusOK: rounds}, statuses)
	patient := w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t)
	require.Len(t, patient["connectionRequests"].(map[string]any)["dexcom"], rounds)
	require.Equal(t, "Bea", patient["fullName"])
	require.Len(t, patient["dataSources"], 1)
	testkit.NotOnSecantus(t, "what findOneAndUpdate returns from before the update may be older than that, so counts go astray; all else was tested")
	w.requireCensus(t)
}

// requireCensus asserts that the numbers that were kept by differences are those that a count finds.
func (w ward) requireCensus(t *testing.T) {
	t.Helper()
	read := func() map[string]any {
		documents := testkit.Documents(t, w.Store, "clinics", bson.M{"_id": w.id(t)})
		require.Len(t, documents, 1)
		clinic := fields(t, documents[0])
		var count any
		require.NoError(t, json.Unmarshal(clinic["patientCount"], &count))
		groups, err := testkit.Census(w.Store, "").Groups(t.Context(), []bson.ObjectID{w.id(t)})
		require.NoError(t, err)
		for _, counts := range []map[bson.ObjectID]int{groups[w.id(t)].Tags, groups[w.id(t)].Sites} {
			maps.DeleteFunc(counts, func(_ bson.ObjectID, n int) bool { return n == 0 })
		}
		return map[string]any{"count": count, "groups": groups[w.id(t)]}
	}
	kept := read()
	w.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+w.clinicID+"/patient_count/refresh", nil).OK(t, http.StatusOK)
	require.NotEmpty(t, kept["count"])
	require.Equal(t, kept, read())
}

func TestUpdatePatientErrors(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	body := map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"}
	id := w.add(t, map[string]any{"mrn": "one"})["id"]
	w.add(t, map[string]any{"mrn": "TWO"})
	before := w.stored(t, id)
	w.Call(t, testkit.Service, http.MethodPut, w.patient("ffffffffff"), body).Fails(t, http.StatusNotFound, "patient not found")
	w.Call(t, w.admin, http.MethodPut, w.patient(id), nil).Fails(t, http.StatusBadRequest, "request body has an error: value is required but missing")
	w.Call(t, testkit.User(id.(string)), http.MethodPut, w.patient(id), body).OK(t, http.StatusForbidden)
	body["sites"] = []any{map[string]any{"id": bson.NewObjectID().Hex(), "name": "x"}}
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).Fails(t, http.StatusUnprocessableEntity, "constraint violation: the clinic has no site with that name")
	delete(body, "sites")
	w.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).Fails(t, http.StatusBadRequest, "bad request: mrn is required")
	body["mrn"] = "two"
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).Fails(t, http.StatusBadRequest, "bad request: mrn must be unique")
	require.Equal(t, before, w.stored(t, id))
	require.Zero(t, w.Standin.Count("PUT /user/"+id.(string)), "the account must stay as it is")
	body["mrn"] = "One"
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).OK(t, http.StatusOK)
	require.JSONEq(t, `true`, string(w.stored(t, id)["requireUniqueMrn"]))
}

func TestRaceToChangeToOneNumber(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
	const racers = 5
	ids := make(chan any, racers)
	for i := range racers {
		ids <- w.add(t, map[string]any{"mrn": fmt.Sprint(i)})["id"]
	}
	statuses := w.race(t, racers, func() testkit.Response {
		return w.Call(t, w.admin, http.MethodPut, w.patient(<-ids), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31", "mrn": "same"})
	})
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusBadRequest: racers - 1}, statuses)
}

func TestUpdatePatientUpdatesOnlyAccountsThatTheClinicManages(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	taken := w.NewUser(t, "Somebody") + "@example.com"
	id := w.add(t, nil)["id"].(string)
	own := id + "@example.com"
	body := map[string]any{"fullName": "Bea", "birthDate": "1999-12-31", "email": "U" + own}
	for range 2 { // changed or not
		w.Call(t, w.admin, http.MethodPut, w.patient(id), body).OK(t, http.StatusOK)
	}
	delete(body, "email")
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).OK(t, http.StatusOK)
	calls := w.Standin.Calls("PUT /user/" + id)
	require.Len(t, calls, 3)
	require.JSONEq(t, `{"updates": {"username": "u`+own+`", "emails": ["u`+own+`"]}}`, calls[1].Body)
	require.JSONEq(t, `{"updates": {"emails": []}}`, calls[2].Body)

	body["email"], body["fullName"] = taken, "Not Stored"
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).
		Fails(t, http.StatusConflict, "unable to update custodial user: duplicate: email address is already taken")
	require.JSONEq(t, `"Bea"`, string(w.stored(t, id)["fullName"]))

	w.Call(t, testkit.Service, http.MethodDelete, w.patient(id, "permissions", "custodian"), nil).OK(t, http.StatusNoContent)
	w.Call(t, w.admin, http.MethodPut, w.patient(id), body).OK(t, http.StatusOK)
	require.JSONEq(t, `"`+taken+`"`, string(w.stored(t, id)["email"]))
	require.Equal(t, 4, w.Standin.Count("PUT /user/"+id))
}

func TestBrokenUserServiceLeavesThePatientAsItIs(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	w := newWard(t, app)
	id := w.add(t, nil)["id"]
	before := w.stored(t, id)
	for name, fault := range map[string]standin.Fault{
		"down": {Cut: true}, "slow": {Hang: true}, "failing": {Status: http.StatusBadGateway}, "other status": {Status: http.StatusAccepted},
	} {
		app.Standin.Fail("PUT /user/", fault)
		answer := w.Call(t, w.admin, http.MethodPut, w.patient(id), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"})
		app.Standin.Heal()
		answer.OK(t, http.StatusInternalServerError)
		require.Equal(t, before, w.stored(t, id), name)
	}
}

func TestNewNumberEndsSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"mrn": "one"})["id"]
	subscription := func(active bool) bson.M {
		return bson.M{"active": active, "provider": "redox", "createdAt": bson.DateTime(1), "updatedAt": bson.DateTime(2), "unknown": 1}
	}
	w.setPatient(t, id, bson.M{"$set": bson.M{"ehrSubscriptions": bson.M{"summaryAndReports": subscription(true), "xealthReports": subscription(true)}}})
	steps := []struct {
		mrn    any
		active string
	}{
		{"one", "true"}, {"One", "false"}, {"one", "false"}, // it does not come back
	}
	for _, step := range steps {
		w.Call(t, w.admin, http.MethodPut, w.patient(id), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31", "mrn": step.mrn}).OK(t, http.StatusOK)
		one := `{"active": ` + step.active + `, "provider": "redox", "createdAt": {"$date": {"$numberLong": "1"}},
			"updatedAt": {"$date": {"$numberLong": "2"}}, "unknown": {"$numberInt": "1"}}`
		require.JSONEq(t, `{"summaryAndReports": `+one+`, "xealthReports": `+one+`}`, string(w.stored(t, id)["ehrSubscriptions"]))
	}
	w.setPatient(t, id, bson.M{"$set": bson.M{"ehrSubscriptions.xealthReports.active": true}})
	w.Call(t, w.admin, http.MethodPut, w.patient(id), map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"}).OK(t, http.StatusOK) // removed
	require.NotContains(t, string(w.stored(t, id)["ehrSubscriptions"]), `true`)
}
