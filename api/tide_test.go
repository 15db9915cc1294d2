package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestTideReportBySite holds the report against the list: with the same parameters both are about the same patients.
func TestTideReportBySite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	eachOperation(published(t), func(o *openapi3.Operation, parameters []*openapi3.Parameter) {
		for _, p := range parameters {
			require.False(t, o.OperationID == "TideReport" && p.Name == "tags" && p.Required, "generated clients would ask for them")
		}
	})
	clinicID, admin := app.NewClinic(t)
	clinic := "/v1/clinics/" + clinicID
	tag, site := map[string]string{}, map[string]string{}
	for _, name := range []string{"A", "B"} {
		made := app.Call(t, testkit.User(admin), http.MethodPost, clinic+"/patient_tags", map[string]any{"name": name})
		tag[name] = made.OK(t, http.StatusOK).Object(t)["id"].(string)
		made = app.Call(t, testkit.User(admin), http.MethodPost, clinic+"/sites", map[string]any{"name": name})
		site[name] = made.OK(t, http.StatusOK).Object(t)["id"].(string)
	}
	for i, groups := range []string{"", "A", "B", "AB"} {
		for j, tags := range []string{"", "A", "AB"} {
			extra := map[string]any{"tags": []string{}, "sites": []any{}}
			for _, name := range strings.Split(groups, "") {
				extra["sites"] = append(extra["sites"].([]any), map[string]any{"id": site[name], "name": name})
			}
			for _, name := range strings.Split(tags, "") {
				extra["tags"] = append(extra["tags"].([]string), tag[name])
			}
			app.NewPatient(t, clinicID, fmt.Sprintf("Patient %d%d", i, j), extra)
		}
	}
	both := url.QueryEscape(site["A"] + "," + site["B"])
	for query, count := range map[string]int{
		"sites=" + site["A"]: 6, "sites=" + both: 9, "sites=" + both + "&sitesMatch=any": 9, "sites=" + both + "&sitesMatch=all": 3, "sites=_": 3,
		"sites=" + site["B"] + "&tags=" + tag["B"]: 2, "sites=" + both + "&tags=" + tag["A"] + "," + tag["B"]: 3,
		"sites=" + both + "&tagsMatch=any&tags=" + tag["A"] + "," + tag["B"]: 6, "tagsMatch=any&tags=" + tag["A"] + "," + tag["B"]: 8, "tags=" + tag["A"]: 8,
	} {
		var list struct{ Data []struct{ ID string } }
		app.Call(t, testkit.User(admin), http.MethodGet, clinic+"/patients?limit=100&"+query, nil).OK(t, http.StatusOK).Into(t, &list)
		var report struct {
			Config  map[string]any
			Results struct {
				NoData []struct{ Patient struct{ ID string } }
			}
		}
		app.Call(t, testkit.User(admin), http.MethodGet, clinic+"/tide_report?period=7d&lastDataCutoff=2030-01-01T00:00:00Z&"+query, nil).OK(t, http.StatusOK).Into(t, &report)
		var listed, reported []string
		for _, row := range list.Data {
			listed = append(listed, row.ID)
		}
		for _, row := range report.Results.NoData {
			reported = append(reported, row.Patient.ID)
		}
		require.Len(t, listed, count, query)
		require.ElementsMatch(t, listed, reported, query)
		asked, err := url.ParseQuery(query)
		require.NoError(t, err)
		for name, repeated := range map[string]any{"tagsMatch": asked.Get("tagsMatch"), "sitesMatch": asked.Get("sitesMatch")} {
			if repeated == "" {
				repeated = nil
			}
			require.Equal(t, repeated, report.Config[name], query)
		}
		require.Equal(t, asked.Has("sites"), report.Config["sites"] != nil, query)
		require.Len(t, report.Config["tags"], len(strings.FieldsFunc(asked.Get("tags"), func(c rune) bool { return c == ',' })), query)
	}
}
