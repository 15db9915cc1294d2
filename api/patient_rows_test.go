package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// A list shows patients as the operation for one patient does, and counts what was just added or removed.
func TestPatientListsShowPatientsAsTheyAre(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/patients"
	list := func(query url.Values) (rows []any, count, total float64) {
		answer := app.Call(t, testkit.User(admin), http.MethodGet, path+"?"+query.Encode(), nil).OK(t, http.StatusOK).Object(t)
		meta := answer["meta"].(map[string]any)
		return answer["data"].([]any), meta["count"].(float64), meta["totalCount"].(float64)
	}
	_, _, before := list(nil)
	for i, name := range []string{"Zoë Ångström", "ann <Lee> & co", "Ánn Other"} {
		app.NewPatient(t, clinicID, name, nil)
		_, _, total := list(nil)
		require.InDelta(t, before+float64(i+1), total, 0)
	}
	rows, count, total := list(url.Values{"search": {"ng"}})
	require.InDelta(t, 1, count, 0)
	require.InDelta(t, before+3, total, 0)
	patient := rows[0].(map[string]any)
	one := path + "/" + patient["id"].(string)
	require.Equal(t, app.Call(t, testkit.Service, http.MethodGet, one, nil).OK(t, http.StatusOK).Object(t), patient)

	summary := map[string]any{"cgmStats": map[string]any{
		"id":      "abcdef",
		"config":  map[string]any{"schemaVersion": 5, "highGlucoseThreshold": 10, "veryHighGlucoseThreshold": 13.9, "lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3},
		"dates":   map[string]any{"hasFirstData": false, "hasLastData": true, "lastData": "2030-01-02T03:04:05.678Z", "hasLastUploadDate": false, "hasOutdatedSince": false},
		"periods": map[string]any{},
	}}
	app.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+patient["id"].(string)+"/summary", summary).OK(t, http.StatusOK)
	rows, _, _ = list(url.Values{"search": {"ng"}})
	require.Contains(t, rows[0], "summary")
	require.Equal(t, app.Call(t, testkit.Service, http.MethodGet, one, nil).OK(t, http.StatusOK).Object(t), rows[0])
	// Clients send rows back as they are.
	app.Call(t, testkit.User(admin), http.MethodPut, one, rows[0]).OK(t, http.StatusOK)
}

func TestALongPageIsSentInParts(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, err := bson.ObjectIDFromHex("5f" + testkit.NewUserID() + testkit.NewUserID() + "00")
	require.NoError(t, err)
	const number = 700 // records, the answer of which takes more than is collected before it is sent
	var records []any
	for i := range number {
		records = append(records, bson.D{
			{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: fmt.Sprintf("%010x", i)}, {Key: "fullName", Value: fmt.Sprintf("Patient %04d %s", i, strings.Repeat("x", 3000))},
		})
	}
	_, err = app.Store.Collection("patients").InsertMany(t.Context(), records)
	require.NoError(t, err)
	for _, query := range []string{"", "&search=patient", "&sort=%2BlastReviewed&sortType=cgm"} {
		answer := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID.Hex()+"/patients?limit=100000"+query, nil).OK(t, http.StatusOK)
		rows := answer.Object(t)["data"].([]any)
		require.Len(t, rows, number)
		for i, row := range rows {
			require.Equal(t, fmt.Sprintf("%010x", i), row.(map[string]any)["id"])
		}
	}
}
