package faults_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestEveryReadTellsWhichPatientHoldsSomethingOdd: whoever leaves out what is stored in an unexpected form names the record in the
// log, whichever way it was read.
func TestEveryReadTellsWhichPatientHoldsSomethingOdd(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	for name, path := range map[string]string{
		"patient":      "/v1/clinics/CLINIC/patients/PATIENT",
		"list":         "/v1/clinics/CLINIC/patients",
		"other order":  "/v1/clinics/CLINIC/patients?sort=-birthDate&sortType=cgm&period=14d",
		"search":       "/v1/clinics/CLINIC/patients?search=odd",
		"records":      "/v1/patients/PATIENT/clinics",
		"found by MRN": "/v1/patients?mrn=MRN",
	} {
		clinicID, adminID := app.NewClinic(t)
		mrn := testkit.NewUserID()
		userID, _ := app.NewPatient(t, clinicID, "Odd One", map[string]any{"mrn": mrn})["id"].(string)
		_, err := app.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": userID}, bson.M{"$set": bson.M{"targetDevices": "dexcom"}})
		require.NoError(t, err)
		caller := testkit.Service
		if name == "found by MRN" {
			caller = testkit.User(adminID)
		}
		app.Log.TakeAll()
		path = strings.NewReplacer("CLINIC", clinicID, "PATIENT", userID, "MRN", mrn).Replace(path)
		require.Contains(t, string(app.Call(t, caller, http.MethodGet, path, nil).OK(t, http.StatusOK).Body), userID, name)
		told := app.Log.FilterMessageSnippet("unexpected form").All()
		require.Len(t, told, 1, name)
		record, _ := testkit.Documents(t, app.Store, "patients", bson.M{"userId": userID})[0]["_id"].(bson.ObjectID)
		require.Equal(t, record.Hex(), told[0].ContextMap()["_id"], name)
	}
}
