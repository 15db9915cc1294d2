package api_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	target, admin := app.NewClinic(t)
	source, _ := app.NewClinic(t)
	body := map[string]any{"sourceId": source}
	for _, path := range []string{"/v1/clinics/" + target + "/merge", "/v1/clinics/" + target + "/reports/merge"} {
		app.Call(t, testkit.User(admin), http.MethodPost, path, body).OK(t, http.StatusForbidden)
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{}).Fails(t, http.StatusBadRequest, "bad request: sourceId is required")
		app.Call(t, testkit.Service, http.MethodPost, path, nil).OK(t, http.StatusBadRequest)
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"sourceId": nil}).OK(t, http.StatusBadRequest)
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"sourceId": strings.ToUpper(source)}).OK(t, http.StatusBadRequest)
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"sourceId": bson.NewObjectID().Hex()}).Fails(t, http.StatusNotFound, "clinic not found")
	}
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+target+"/merge", map[string]any{"sourceId": target}).
		Fails(t, http.StatusBadRequest, "bad request: the merge plan does not allow execution")
}

func TestMergeReport(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	target, _ := app.NewClinic(t)
	source, _ := app.NewClinic(t)
	patient := app.NewPatient(t, source, "Rea Port", nil)
	report := func(accept string) testkit.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/clinics/"+target+"/reports/merge", strings.NewReader(`{"sourceId":"`+source+`"}`))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", accept)
		return app.Do(t, testkit.Service, request).OK(t, http.StatusOK)
	}
	for _, accept := range []string{"", "*/*", "application/json, text/plain", "application/json; charset=utf-8"} {
		workbook := report(accept)
		require.Equal(t, "application/vnd.ms-excel", workbook.Header.Get("Content-Type"))
		require.Regexp(t, `^attachment; filename=merge-report-\d{10}\.xlsx$`, workbook.Header.Get("Content-Disposition"))
		_, err := zip.NewReader(bytes.NewReader(workbook.Body), int64(len(workbook.Body)))
		require.NoError(t, err)
	}
	plan := report("application/json").Object(t)
	for _, member := range []string{
		"Source", "Target", "MembershipRestrictionsMergePlan", "SourcePatientClusters", "TargetPatientClusters", "SettingsPlans", "TagsPlans",
		"SitesPlans", "ClinicianPlans", "PatientPlans", "CreatedTime",
	} {
		require.Contains(t, plan, member)
		require.NotNil(t, plan[member], "empty lists are lists: %s", member)
	}
	planned := plan["PatientPlans"].([]any)[0].(map[string]any)
	require.Equal(t, "MOVE", planned["PatientAction"])
	require.Equal(t, patient["id"], planned["SourcePatient"].(map[string]any)["id"])
	require.Empty(t, testkit.Documents(t, app.Store, "merge_plans", bson.D{{Key: "plan.sourcePatient.userId", Value: patient["id"]}}), "a report writes nothing")
}

func TestMergeClinic(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	target, _ := app.NewClinic(t)
	source, sourceAdmin := app.NewClinic(t)
	patient := app.NewPatient(t, source, "Mo Ved", nil)["id"].(string)
	answer := app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+target+"/merge", map[string]any{"sourceId": source}).OK(t, http.StatusOK)
	require.Empty(t, answer.Body)
	require.Empty(t, answer.Header.Get("Content-Type"))
	app.Call(t, testkit.User(sourceAdmin), http.MethodGet, "/v1/clinics/"+target+"/patients/"+patient, nil).OK(t, http.StatusOK)
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+source, nil).OK(t, http.StatusNotFound)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+target+"/merge", map[string]any{"sourceId": source}).Fails(t, http.StatusNotFound, "clinic not found")
	for _, message := range app.Log.All() {
		require.NotContains(t, fmt.Sprint(message.Message, message.ContextMap()), "Mo Ved")
	}
}
