package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// ehr is a clinic that is connected to Redox.
type ehr struct {
	*testkit.App
	clinicID string
	source   string
}

// newEHR connects a new clinic of the shared service. Extra members replace settings.
func newEHR(t *testing.T, extra map[string]any) ehr {
	t.Helper()
	e := ehr{App: testkit.Shared(t), source: "source-" + testkit.NewUserID()}
	e.clinicID = e.connect(t, extra)
	return e
}

// connect makes a clinic with settings for the source.
func (e ehr) connect(t *testing.T, extra map[string]any) string {
	t.Helper()
	id, _ := e.NewClinic(t)
	settings := map[string]any{
		"enabled": true, "provider": "redox", "sourceId": e.source, "mrnIdType": "MR",
		"procedureCodes":   map[string]any{"enableSummaryReports": "49086-2"},
		"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": true},
		"tags":             map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}
	maps.Copy(settings, extra)
	e.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+id+"/settings/ehr", settings).OK(t, http.StatusOK)
	return id
}

// timothy stores the patient that the sample order is about and returns the user id. Extra fields replace those.
func (e ehr) timothy(t *testing.T, extra bson.M) string {
	t.Helper()
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Millisecond)
	patient := bson.M{
		"clinicId": clinicID, "userId": testkit.NewUserID(), "fullName": "Timothy Bixby", "birthDate": "2008-01-06", "mrn": "0000000001",
		"createdTime": now, "updatedTime": now,
	}
	maps.Copy(patient, extra)
	_, err = e.Store.Collection(patients.CollectionName).InsertOne(t.Context(), patient)
	require.NoError(t, err)
	return patient["userId"].(string)
}

// order returns a new order for the clinic, with a log id of its own.
func (e ehr) order() map[string]any {
	return map[string]any{
		"Meta": map[string]any{
			"DataModel": "Order", "EventType": "New", "Source": map[string]any{"ID": e.source},
			"Logs": []any{map[string]any{"ID": "log-" + testkit.NewUserID(), "AttemptID": "1"}},
		},
		"Patient": map[string]any{
			"Identifiers":  []any{map[string]any{"ID": "0000000001", "IDType": "MR"}, map[string]any{"ID": "e1", "IDType": "EHRID"}},
			"Demographics": map[string]any{"FirstName": "Timothy", "LastName": "Bixby", "DOB": "2008-01-06"},
		},
		"Order": map[string]any{"ID": "157968300", "Procedure": map[string]any{"Code": "49086-2"}},
	}
}

// at returns the object at a path of a message, to be changed.
func at(object map[string]any, path ...string) map[string]any {
	for _, name := range path {
		object = object[name].(map[string]any)
	}
	return object
}

func (e ehr) post(t *testing.T, token, body string) testkit.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/v1/redox", strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("verification-token", token)
	}
	return e.Do(t, testkit.Nobody, request)
}

// send has a message stored and returns its id.
func (e ehr) send(t *testing.T, message map[string]any) string {
	t.Helper()
	logs := "log-" + testkit.NewUserID()
	at(message, "Meta")["Logs"] = []any{map[string]any{"ID": logs}}
	body, err := json.Marshal(message)
	require.NoError(t, err)
	e.post(t, testkit.RedoxToken, string(body)).OK(t, http.StatusOK)
	stored := e.messages(t, logs)
	require.Len(t, stored, 1)
	return stored[0]["_id"].(bson.ObjectID).Hex()
}

// messages returns what is stored under a log id.
func (e ehr) messages(t *testing.T, logID string) []bson.M {
	t.Helper()
	return testkit.Documents(t, e.Store, redox.MessagesCollectionName, bson.M{"meta.Logs.ID": logID})
}

// match asks for a match; without criteria, of the clinic only.
func (e ehr) match(t *testing.T, message, action string, criteria ...string) testkit.Response {
	t.Helper()
	body := map[string]any{"messageRef": map[string]any{"dataModel": "Order", "eventType": "New", "documentId": message}}
	if len(criteria) > 0 {
		options := map[string]any{"criteria": criteria}
		if action != "" {
			options["onUniqueMatch"] = action
		}
		body["patients"] = options
	}
	return e.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", body)
}

// matched returns the user ids of the patients in the answer.
func matched(t *testing.T, answer testkit.Response) []string {
	t.Helper()
	body := answer.OK(t, http.StatusOK).Object(t)
	list, ok := body["patients"].([]any)
	if !ok {
		require.NotContains(t, body, "patients", "nobody means that the member is absent")
		return nil
	}
	var ids []string
	for _, patient := range list {
		ids = append(ids, patient.(map[string]any)["id"].(string))
	}
	return ids
}

// patient returns the stored patient.
func (e ehr) patient(t *testing.T, userID string) patients.Patient {
	t.Helper()
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	var patient patients.Patient
	require.NoError(t, e.Store.Collection(patients.CollectionName).FindOne(t.Context(), bson.M{"clinicId": clinicID, "userId": userID}).Decode(&patient))
	return patient
}

func (e ehr) reports(t *testing.T, userID string) patients.EHRSubscription {
	t.Helper()
	return e.patient(t, userID).EHRSubscriptions[patients.SummaryAndReports]
}
