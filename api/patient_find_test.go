package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// found returns the names of the patients and of their clinics.
func found(t *testing.T, answer testkit.Response) []string {
	t.Helper()
	names := []string{}
	for _, entry := range answer.OK(t, http.StatusOK).List(t) {
		names = append(names, entry["patient"].(map[string]any)["fullName"].(string)+" @ "+entry["clinic"].(map[string]any)["id"].(string))
	}
	return names
}

func TestFindPatientsLooksInAllClinicsOfTheCaller(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	first, admin := app.NewClinic(t)
	second, _ := app.NewClinic(t)
	foreign, _ := app.NewClinic(t)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+second+"/clinicians", map[string]any{
		"id": admin, "email": admin + "@example.com", "roles": []string{"PRESCRIBER"}, "name": "Ada Admin",
	}).OK(t, http.StatusOK)
	person := func(mrn, birthDate string) map[string]any { return map[string]any{"mrn": mrn, "birthDate": birthDate} }
	app.NewPatient(t, first, "bob", person("AB-1é", "2001-02-03"))
	app.NewPatient(t, first, "Ádam", person("X", "2001-02-03"))
	app.NewPatient(t, second, "Carl", person("ab-1E", "2001-02-04"))
	app.NewPatient(t, first, "Eve", person("Z-9", "2001-02-05"))
	app.NewPatient(t, first, "dan", person("z-9", "2001-02-06"))
	app.NewPatient(t, foreign, "Nobody", person("AB-1E", "2001-02-03"))
	source := "source-" + admin
	app.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+second+"/settings/ehr", map[string]any{
		"enabled": true, "sourceId": source, "provider": "redox", "mrnIdType": "MRN", "procedureCodes": map[string]any{"enableSummaryReports": "E1"},
		"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": false}, "tags": map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}).OK(t, http.StatusOK)

	adam, bob, carl, dan, eve := "Ádam @ "+first, "bob @ "+first, "Carl @ "+second, "dan @ "+first, "Eve @ "+first
	tests := map[string][]string{
		"limit=50":                       {adam, bob, carl, dan, eve},
		"limit=1&offset=1":               {bob},
		"offset=7":                       {},
		"mrn=AB-1e":                      {bob, carl},
		"mrn=AB1e":                       {},
		"mrn=%20AB-1e":                   {bob, carl},
		"birthDate=2001-02-03":           {adam, bob},
		"birthDate=2001":                 {},
		"mrn=ab-1e&birthDate=2001-02-04": {carl},
		"workspaceIdType=clinicId":       {adam, bob, carl, dan, eve},
		"mrn=Z-9":                        {dan, eve},
		"mrn=Z-9&limit=1":                {dan},
		"mrn=Z-9&limit=1&offset=1":       {eve},
		"mrn=Z-9&workspaceIdType=clinicId&workspaceId=" + first:                               {dan, eve},
		"mrn=X&workspaceIdType=clinicId&workspaceId=" + first:                                 {adam},
		"workspaceIdType=clinicId&workspaceId=" + second:                                      {carl},
		"workspaceIdType=clinicId&workspaceId=" + foreign:                                     {},
		"workspaceIdType=clinicId&workspaceId=zz":                                             {},
		"workspaceIdType=ehrSourceId&workspaceId=" + url.QueryEscape(source):                  {carl},
		"workspaceIdType=ehrSourceId&workspaceId=S" + url.QueryEscape(source[1:]):             {},
		"workspaceIdType=ehrSourceId&workspaceId=" + url.QueryEscape(source) + "&mrn=nothing": {},
	}
	for query, want := range tests {
		require.Equal(t, want, found(t, app.Call(t, testkit.User(admin), http.MethodGet, "/v1/patients?"+query, nil)), query)
	}
	require.Empty(t, found(t, app.Call(t, testkit.User(testkit.NewUserID()), http.MethodGet, "/v1/patients", nil)))
	app.Call(t, testkit.User(admin), http.MethodGet, "/v1/patients?workspaceId="+first, nil).
		Fails(t, http.StatusBadRequest, "bad request: workspace id type is required")
	app.Call(t, testkit.User(admin), http.MethodGet, "/v1/patients?workspaceId=x&workspaceIdType=y", nil).OK(t, http.StatusBadRequest)
	app.Call(t, testkit.Service, http.MethodGet, "/v1/patients", nil).OK(t, http.StatusForbidden)
}

func TestRecordsOfAPatientWhoseClinicIsGoneAreLeftOut(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	kept, admin := app.NewClinic(t)
	gone, _ := app.NewClinic(t)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+gone+"/clinicians", map[string]any{
		"id": admin, "email": admin + "@example.com", "roles": []string{"CLINIC_MEMBER"}, "name": "Ada Admin",
	}).OK(t, http.StatusOK)
	user := app.NewUser(t, "Pat Patient")
	for _, clinic := range []string{kept, gone} {
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinic+"/patients/"+user, map[string]any{"permissions": map[string]any{"view": map[string]any{}}}).
			OK(t, http.StatusOK)
	}
	path := "/v1/patients/" + user + "/clinics"
	require.Len(t, found(t, app.Call(t, testkit.User(user), http.MethodGet, path, nil)), 2)
	require.Len(t, found(t, app.Call(t, testkit.Service, http.MethodGet, path+"?limit=1&offset=1", nil)), 1)

	id, err := bson.ObjectIDFromHex(gone)
	require.NoError(t, err)
	_, err = app.Store.Collection("clinics").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}})
	require.NoError(t, err)
	require.Equal(t, []string{"Pat Patient @ " + kept}, found(t, app.Call(t, testkit.User(user), http.MethodGet, path, nil)))
	require.Equal(t, []string{"Pat Patient @ " + kept}, found(t, app.Call(t, testkit.User(admin), http.MethodGet, "/v1/patients", nil)))
	require.Empty(t, found(t, app.Call(t, testkit.Service, http.MethodGet, "/v1/patients/"+testkit.NewUserID()+"/clinics", nil)))
	app.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusForbidden)
}

func TestTideReportOnTheWire(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	made := app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics/"+clinicID+"/patient_tags", map[string]any{"name": "Tide"})
	tag := made.OK(t, http.StatusOK).Object(t)["id"].(string)
	patient := app.NewPatient(t, clinicID, "Pat Patient", map[string]any{"tags": []string{tag}})
	path := "/v1/clinics/" + clinicID + "/tide_report?period=7d&tags=" + tag + "&lastDataCutoff=2030-01-01T02:00:00%2B02:00"
	answer := app.Call(t, testkit.User(admin), http.MethodGet, path+"&categories=meetingTargets", nil).OK(t, http.StatusOK)
	require.JSONEq(t, `{
		"config": {"clinicId": "`+clinicID+`", "period": "7d", "lastDataCutoff": "2030-01-01T02:00:00+02:00", "tags": ["`+tag+`"], "schemaVersion": 2,
			"lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3, "highGlucoseThreshold": 10, "veryHighGlucoseThreshold": 13.9,
			"extremeHighGlucoseThreshold": 19.4, "filters": {"timeInVeryLowPercent": ">0.01", "timeInAnyLowPercent": ">0.04",
			"dropInTimeInTargetPercent": "<-0.15", "timeInTargetPercent": "<0.7", "timeCGMUsePercent": "<0.7"}},
		"results": {"meetingTargets": [], "noData": [{"patient": {"id": "`+patient["id"].(string)+`", "fullName": "Pat Patient", "tags": ["`+tag+`"],
			"reviews": [], "dataSources": null}}]}
	}`, string(answer.Body))
	period := map[string]any{}
	for i, field := range []string{"averageGlucoseMmol", "glucoseManagementIndicator", "timeCGMUsePercent", "timeInVeryLowPercent", "timeInLowPercent", "timeInAnyLowPercent",
		"timeInTargetPercent", "timeInTargetPercentDelta", "timeInHighPercent", "timeInVeryHighPercent", "timeInExtremeHighPercent", "timeInAnyHighPercent"} {
		period[field] = 0.25 + float64(i)
	}
	period["timeCGMUseMinutes"] = 77.0
	row := map[string]any{"lastData": "2030-01-02T00:00:00Z", "patient": map[string]any{
		"id": patient["id"], "fullName": "Pat Patient", "tags": []any{tag}, "reviews": []any{}, "dataSources": nil,
	}}
	stored := bson.M{"min": 1.5}
	for field, value := range period {
		row[field], stored[field] = value, value
	}
	_, err := app.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": patient["id"]}, bson.M{"$set": bson.M{
		"summary.cgmStats": bson.M{"dates": bson.M{"lastData": time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)}, "periods": bson.M{"7d": stored, "1d": bson.M{"max": 2.5}}},
	}})
	require.NoError(t, err)
	answer = app.Call(t, testkit.User(admin), http.MethodGet, path+"&categories=timeInAnyLowPercent&excludeNoData=true", nil).OK(t, http.StatusOK)
	require.Equal(t, map[string]any{"timeInAnyLowPercent": []any{row}}, answer.Object(t)["results"])

	missing := `parameter "tags" in query has an error: value is required but missing`
	cutoff := "&lastDataCutoff=2030-01-01T00:00:00Z"
	app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+clinicID+"/tide_report?period=7d"+cutoff, nil).Fails(t, http.StatusBadRequest, missing)
	app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+clinicID+"/tide_report?period=7d&sitesMatch=all"+cutoff, nil).Fails(t, http.StatusBadRequest, missing)

	for _, query := range []string{
		"?period=7d&tags=_&sites=_" + cutoff, "?period=7d&sites=" + cutoff, "?period=7d&sites=,_" + cutoff, "?period=7d&sites=_&sites=_" + cutoff,
		"?period=7d&sites=_&tagsMatch=some" + cutoff, "?sites=_" + cutoff, "?period=7d&sites=_",
		"", "?period=7d&tags=" + tag, "?period=2d&tags=" + tag + "&lastDataCutoff=2030-01-01T00:00:00Z", "?period=7d&lastDataCutoff=2030-01-01T00:00:00Z",
		"?period=7d&tags=&lastDataCutoff=2030-01-01T00:00:00Z", "?period=7d&tags=zz&lastDataCutoff=2030-01-01T00:00:00Z",
		"?period=7d&tags=" + tag + "&lastDataCutoff=2030-01-01", "?period=7d&tags=" + tag + "&lastDataCutoff=0001-01-01T00:00:00Z",
		"?period=7d&tags=" + tag + "&lastDataCutoff=2030-01-01T00:00:00Z&categories=noData", "?period=7d&tags=" + tag + "&lastDataCutoff=2030-01-01T00:00:00Z&excludeNoData=x",
	} {
		app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+clinicID+"/tide_report"+query, nil).OK(t, http.StatusBadRequest)
	}
}
