package api_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// rowOfClinic tells the rows of a list apart, each of which is a clinic, or has one beside a patient or a member.
func rowOfClinic(row map[string]any) string {
	clinic, ok := row["clinic"].(map[string]any)
	if !ok {
		return row["id"].(string)
	}
	for _, one := range []string{"patient", "clinician"} {
		if who, ok := row[one].(map[string]any); ok {
			return clinic["id"].(string) + " " + who["id"].(string)
		}
	}
	return clinic["id"].(string)
}

func rowsOfClinics(rows []map[string]any) (found []string) {
	for _, row := range rows {
		found = append(found, rowOfClinic(row))
	}
	return found
}

// Lists across clinics show everybody once. Those of a person do so too while, after each page, the last row of it goes, and another comes.
func TestListsAcrossClinicsGoOnBehindACursor(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	user := app.NewUser(t, "Uma User")
	member := map[string]any{"id": user, "email": user + "@example.com", "roles": []string{"CLINIC_MEMBER"}}
	join := func(clinicID string) string {
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", member).OK(t, http.StatusOK)
		return clinicID + " " + user
	}
	admit := func(clinicID string) string {
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/patients/"+user, map[string]any{"permissions": map[string]any{"view": map[string]any{}}}).
			OK(t, http.StatusOK)
		return clinicID + " " + user
	}
	var clinicID string
	admins := map[string]testkit.Caller{}
	for range 5 {
		id, admin := app.NewClinic(t)
		clinicID, admins[id] = id, testkit.User(admin)
		join(clinicID)
		admit(clinicID)
		app.NewPatient(t, clinicID, "Uma Uter 0", map[string]any{"mrn": "C-1"})
		app.NewPatient(t, clinicID, "Uma Uter 1", map[string]any{"mrn": "C-1"})
	}
	tests := map[string]struct {
		path   string
		caller testkit.Caller
		query  url.Values
		joined string // what the members of the last row are of, in its clinic
		comes  func(clinicID string) string
	}{
		"clinics":                {"/v1/clinics", testkit.Service, url.Values{}, "", nil},
		"all members":            {"/v1/clinicians", testkit.Service, url.Values{}, "", nil},
		"clinics of a clinician": {"/v1/clinicians/" + user + "/clinics", testkit.User(user), url.Values{}, "clinicians", join},
		"clinics of a patient":   {"/v1/patients/" + user + "/clinics", testkit.User(user), url.Values{}, "patients", admit},
		"found patients": {"/v1/patients", testkit.User(user), url.Values{}, "patients", func(string) string {
			return clinicID + " " + app.NewPatient(t, clinicID, "Uma Between", nil)["id"].(string)
		}},
	}
	numbered := tests["found patients"]
	numbered.query, numbered.comes = url.Values{"mrn": {"c-1"}}, func(string) string {
		return clinicID + " " + app.NewPatient(t, clinicID, "Uma Uter 0", map[string]any{"mrn": bson.NewObjectID().Hex()})["id"].(string)
	}
	tests["found by a number"] = numbered
	for _, name := range []string{"clinics", "all members", "clinics of a patient", "found by a number", "found patients", "clinics of a clinician"} {
		test := tests[name]
		all := func() []string {
			query := maps.Clone(test.query)
			query.Set("limit", "100")
			return rowsOfClinics(app.Call(t, test.caller, http.MethodGet, test.path+"?"+query.Encode(), nil).OK(t, http.StatusOK).List(t))
		}
		walk := func(limit string, between func(last string)) (got []string) {
			query := maps.Clone(test.query)
			query.Set("limit", limit)
			rows, next := pageBehind(t, app, test.caller, test.path, query, "")
			for got = rowsOfClinics(rows); next != ""; got = append(got, rowsOfClinics(rows)...) {
				between(got[len(got)-1])
				rows, next = pageBehind(t, app, test.caller, test.path, query, next)
			}
			return got
		}
		want := all()
		require.GreaterOrEqual(t, len(want), 5, name)
		for _, limit := range []string{"1", "2", "5", "100"} {
			require.Equal(t, want, walk(limit, func(string) {}), "%s by %s", name, limit)
		}
		plain := app.Call(t, test.caller, http.MethodGet, test.path+"?limit=1&"+test.query.Encode(), nil).OK(t, http.StatusOK)
		require.NotContains(t, plain.Header, "X-Next-Cursor", name)
		if test.comes == nil {
			continue
		}
		came := map[string]bool{}
		got := walk("2", func(last string) {
			clinic, who, _ := strings.Cut(last, " ")
			gone := app.Call(t, admins[clinic], http.MethodDelete, "/v1/clinics/"+clinic+"/"+test.joined+"/"+who, nil)
			require.Less(t, gone.Status, 300, string(gone.Body))
			newcomer, admin := app.NewClinic(t)
			admins[newcomer] = testkit.User(admin)
			came[test.comes(newcomer)] = true
		})
		require.NotEmpty(t, came, name)
		require.Equal(t, want, slices.DeleteFunc(got, func(row string) bool { return came[row] }), name)
	}
}

// Every list that takes an offset takes a cursor too, and says where the next one is, but for those named here.
func TestEveryListWithAnOffsetHasACursor(t *testing.T) {
	t.Parallel()
	without := map[string]string{
		"ListPatientDuplicates": "its groups are no rows: each is made anew, for each page, of whoever looks alike by then",
	}
	lists := 0
	eachOperation(published(t), func(o *openapi3.Operation, parameters []*openapi3.Parameter) {
		takes := func(name string) bool {
			return slices.ContainsFunc(parameters, func(p *openapi3.Parameter) bool { return p.Name == name })
		}
		if !takes("offset") {
			require.NotContains(t, without, o.OperationID, "it needs no exception")
			return
		}
		lists++
		if why, ok := without[o.OperationID]; ok {
			require.False(t, takes("cursor"), "%s has one although %s", o.OperationID, why)
			return
		}
		require.True(t, takes("cursor"), o.OperationID)
		require.Subset(t, o.Extensions["x-reasons"], []any{"cursor_foreign", "cursor_invalid"}, o.OperationID)
		page := o.Responses.Status(http.StatusOK).Value
		told := page.Headers["X-Next-Cursor"] != nil || takes("cursors") // an export has them in its lines
		for _, content := range page.Content {
			walkSchema(content.Schema.Value, "", func(_ *openapi3.Schema, place string) { told = told || place == "/meta/nextCursor" })
		}
		require.True(t, told, o.OperationID)
	})
	require.Greater(t, lists, 7)
}
