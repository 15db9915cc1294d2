package story_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestReportOfASite: a clinic with two sites looks at each of them, and at who is at both.
func TestReportOfASite(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinicID, admin := service.NewClinic(t)
	clinic := "/v1/clinics/" + clinicID
	site := func(name string) map[string]any {
		return service.Call(t, testkit.User(admin), http.MethodPost, clinic+"/sites", map[string]any{"name": name}).OK(t, http.StatusOK).Object(t)
	}
	harbor, hill := site("Harbor Street"), site("Hill Road")
	for name, sites := range map[string][]any{"Ann": {harbor}, "Ben": {hill}, "Cy": {harbor, hill}, "Dee": nil} {
		extra := map[string]any{}
		if sites != nil {
			extra["sites"] = sites
		}
		service.NewPatient(t, clinicID, name, extra)
	}
	harborID, hillID := harbor["id"].(string), hill["id"].(string)
	for query, want := range map[string][]string{
		"sites=" + harborID: {"Ann", "Cy"}, "sites=" + harborID + "," + hillID: {"Ann", "Ben", "Cy"},
		"sites=" + harborID + "," + hillID + "&sitesMatch=all": {"Cy"}, "sites=_": {"Dee"},
	} {
		var report struct {
			Results struct {
				NoData []struct {
					Patient struct{ FullName string }
				}
			}
		}
		path := clinic + "/tide_report?period=14d&lastDataCutoff=2030-01-01T00:00:00Z&" + query
		service.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusOK).Into(t, &report)
		var reported, listed []string
		for _, row := range report.Results.NoData {
			reported = append(reported, row.Patient.FullName)
		}
		for _, row := range list(t, &service.App, admin, clinic, query).Data {
			listed = append(listed, row.FullName)
		}
		require.ElementsMatch(t, want, reported, query)
		require.ElementsMatch(t, want, listed, query)
	}
	service.Call(t, testkit.User(admin), http.MethodGet, clinic+"/tide_report?period=14d&lastDataCutoff=2030-01-01T00:00:00Z", nil).
		Fails(t, http.StatusBadRequest, `parameter "tags" in query has an error: value is required but missing`)
	require.Zero(t, service.Stop(t))
}
