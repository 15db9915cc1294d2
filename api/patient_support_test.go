package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// ward is a clinic of a test's own, with what tests of its patients need.
type ward struct {
	*testkit.App
	clinicID string
	admin    testkit.Caller
	adminID  string
}

func newWard(t *testing.T, app *testkit.App) ward {
	t.Helper()
	clinicID, adminID := app.NewClinic(t)
	return ward{App: app, clinicID: clinicID, admin: testkit.User(adminID), adminID: adminID}
}

func (w ward) id(t *testing.T) bson.ObjectID {
	t.Helper()
	id, err := bson.ObjectIDFromHex(w.clinicID)
	require.NoError(t, err)
	return id
}

// set changes fields of the stored clinic.
func (w ward) set(t *testing.T, fields bson.M) {
	t.Helper()
	result, err := w.Store.Collection("clinics").UpdateByID(t.Context(), w.id(t), bson.M{"$set": fields})
	require.NoError(t, err)
	require.EqualValues(t, 1, result.MatchedCount)
}

// setPatient changes a stored patient, as an older writer would have left it.
func (w ward) setPatient(t *testing.T, userID any, update bson.M) {
	t.Helper()
	result, err := w.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"clinicId": w.id(t), "userId": userID}, update)
	require.NoError(t, err)
	require.EqualValues(t, 1, result.MatchedCount)
}

func (w ward) patients() string { return "/v1/clinics/" + w.clinicID + "/patients" }

func (w ward) patient(id any, rest ...string) string {
	path := w.patients() + "/" + id.(string)
	for _, part := range rest {
		path += "/" + part
	}
	return path
}

// add creates a custodial patient as the admin.
func (w ward) add(t *testing.T, extra map[string]any) map[string]any {
	t.Helper()
	body := map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}
	for name, value := range extra {
		body[name] = value
	}
	return w.Call(t, w.admin, http.MethodPost, w.patients(), body).OK(t, http.StatusOK).Object(t)
}

// stored returns the document of a patient in extended JSON, which shows the type of every value.
func (w ward) stored(t *testing.T, userID any) map[string]json.RawMessage {
	t.Helper()
	documents := testkit.Documents(t, w.Store, "patients", bson.M{"clinicId": w.id(t), "userId": userID})
	require.Len(t, documents, 1)
	return fields(t, documents[0])
}

func fields(t *testing.T, document any) map[string]json.RawMessage {
	t.Helper()
	encoded, err := bson.MarshalExtJSON(document, true, false)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(encoded, &members))
	return members
}

// requireStored asserts that the document has exactly these fields besides its id, clinic, user and times, whose types are
// checked.
func (w ward) requireStored(t *testing.T, userID any, want map[string]string) {
	t.Helper()
	document := w.stored(t, userID)
	for _, name := range []string{"createdTime", "updatedTime"} {
		require.Contains(t, string(document[name]), `"$date"`, name)
		delete(document, name)
	}
	for _, name := range []string{"_id", "clinicId"} {
		require.Contains(t, string(document[name]), `"$oid"`, name)
		delete(document, name)
	}
	require.JSONEq(t, `"`+userID.(string)+`"`, string(document["userId"]))
	delete(document, "userId")
	for name, value := range want {
		require.Contains(t, document, name)
		require.JSONEq(t, value, string(document[name]), name)
		delete(document, name)
	}
	require.Empty(t, document)
}

// count returns the stored numbers of patients of the clinic.
func (w ward) count(t *testing.T) map[string]any {
	t.Helper()
	return w.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+w.clinicID+"/patient_count", nil).OK(t, http.StatusOK).Object(t)
}

func (w ward) deletions(t *testing.T, userID any) []bson.M {
	t.Helper()
	return testkit.Documents(t, w.Store, "patient_deletions", bson.M{"patient.clinicId": w.id(t), "patient.userId": userID})
}

// moment returns a time of an answer.
func moment(t *testing.T, value any) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, value.(string))
	require.NoError(t, err)
	return parsed
}
