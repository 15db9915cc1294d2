package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestDeletePatientLeavesARecord(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"tags": []string{bson.NewObjectID().Hex()}})["id"].(string)
	w.setPatient(t, id, bson.M{"$set": bson.M{"ofAnotherService": int64(1)}})
	other := newWard(t, w.App)
	other.Call(t, testkit.Service, http.MethodPost, other.patient(id), nil).OK(t, http.StatusOK)
	before := w.stored(t, id)

	w.Call(t, testkit.Service, http.MethodDelete, w.patient(id), nil).OK(t, http.StatusForbidden)
	w.Call(t, testkit.User(w.NewMember(t, w.clinicID, "CLINIC_MEMBER")), http.MethodDelete, w.patient(id), nil).OK(t, http.StatusForbidden)
	w.Call(t, w.admin, http.MethodDelete, w.patient(id), nil).OK(t, http.StatusNoContent)
	w.Call(t, w.admin, http.MethodDelete, w.patient(id), nil).Fails(t, http.StatusNotFound, "patient not found")
	w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Fails(t, http.StatusNotFound, "patient not found")

	records := w.deletions(t, id)
	require.Len(t, records, 1)
	record := fields(t, records[0])
	require.Equal(t, before, fields(t, records[0]["patient"]), "the record holds the document as it was")
	require.JSONEq(t, `"`+w.adminID+`"`, string(record["deletedByUserId"]))
	require.Contains(t, string(record["deletedTime"]), `"$date"`)
	require.Equal(t, map[string]any{"total": 0.0, "demo": 0.0, "plan": 0.0}, w.count(t))
	w.requireCensus(t)
	require.Equal(t, 1.0, other.count(t)["total"], "the other clinic keeps its patient")
}

func TestPatientsCanLeave(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	w.Call(t, testkit.User(id), http.MethodDelete, w.patient(id), nil).OK(t, http.StatusNoContent)
	require.Equal(t, id, w.deletions(t, id)[0]["deletedByUserId"])
}

func TestConcurrentDeletionsLeaveOneRecord(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"]
	const racers = 5
	statuses := w.race(t, racers, func() testkit.Response { return w.Call(t, w.admin, http.MethodDelete, w.patient(id), nil) })
	require.Equal(t, map[int]int{http.StatusNoContent: 1, http.StatusNotFound: racers - 1}, statuses)
	require.Len(t, w.deletions(t, id), 1)
	require.Zero(t, w.count(t)["total"])
}

func TestPatientStaysIfTheDeletionCannotBeRecorded(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	w := newWard(t, app)
	id := w.add(t, map[string]any{"fullName": "Ann"})["id"].(string)
	before := w.stored(t, id)
	refuse := func(validator bson.M) {
		require.NoError(t, app.Store.RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "patient_deletions"}, {Key: "validator", Value: validator}}).Err())
	}
	refuse(bson.M{"never": bson.M{"$exists": true}})
	w.Call(t, w.admin, http.MethodDelete, w.patient(id), nil).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	w.Call(t, testkit.User(id), http.MethodPut, w.patient(id, "permissions"), nil).OK(t, http.StatusInternalServerError)
	require.Equal(t, before, w.stored(t, id))
	require.Empty(t, w.deletions(t, id))
	refuse(bson.M{})
	w.Call(t, w.admin, http.MethodDelete, w.patient(id), nil).OK(t, http.StatusNoContent)
	require.Len(t, w.deletions(t, id), 1)
}

func TestDemoPatientCanBeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	demo := testkit.NewUserID()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Demo.PatientUserID = demo }))
	app.Standin.AddUser(standin.User{UserID: demo, Username: "Demo@Example.com"})
	app.Standin.AddProfile(demo, map[string]any{"patient": map[string]any{"fullName": "Demo", "birthday": "1970-01-01", "mrn": "demo"}})
	w := newWard(t, app)
	w.requireStored(t, demo, map[string]string{
		"fullName": `"Demo"`, "birthDate": `"1970-01-01"`, "mrn": `"demo"`, "email": `"Demo@Example.com"`, "targetDevices": `null`,
		"permissions": `{"view": {}}`, "requireUniqueMrn": `false`, "isMigrated": `true`,
	})
	tag := bson.NewObjectID().Hex()
	patient := w.Call(t, w.admin, http.MethodPut, w.patient(demo), map[string]any{
		"fullName": "Demo", "birthDate": "1970-01-01", "tags": []string{tag}, "dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}},
	}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, []any{tag}, patient["tags"])
	w.requireCensus(t)
	w.Call(t, w.admin, http.MethodPost, w.patient(demo, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
	w.Call(t, testkit.Service, http.MethodPut, "/v1/patients/"+demo+"/data_sources", []any{}).OK(t, http.StatusOK)
	require.Equal(t, map[string]any{"total": 1.0, "demo": 1.0, "plan": 0.0}, w.count(t))
	w.Call(t, w.admin, http.MethodDelete, w.patient(demo), nil).OK(t, http.StatusNoContent)
	require.Equal(t, map[string]any{"total": 0.0, "demo": 0.0, "plan": 0.0}, w.count(t))
	w.requireCensus(t)
}
