package races_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func (a arena) site(t *testing.T, name string) map[string]any {
	t.Helper()
	return a.call(t, 0, http.MethodPost, "/sites", map[string]any{"name": name})().OK(t, http.StatusOK).Object(t)
}

// siteChange is what happens to a site while patients come to it.
type siteChange func(t *testing.T, a arena, id string) func() testkit.Response

var siteChanges = map[string]siteChange{
	"deleted": func(t *testing.T, a arena, id string) func() testkit.Response {
		return a.call(t, 0, http.MethodDelete, "/sites/"+id, nil)
	},
	"renamed": func(t *testing.T, a arena, id string) func() testkit.Response {
		return a.call(t, 0, http.MethodPut, "/sites/"+id, map[string]any{"id": id, "name": "after"})
	},
	"merged": func(t *testing.T, a arena, id string) func() testkit.Response {
		target := a.site(t, "target")["id"].(string)
		return a.call(t, 0, http.MethodPost, "/sites/"+id+"/merge", map[string]any{"id": target})
	},
}

func TestPatientsHaveTheSitesOfTheirClinic(t *testing.T) {
	t.Parallel()
	for name, change := range siteChanges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachRound(t, func(t *testing.T, a arena) {
				site := a.site(t, "before")
				sites := []any{map[string]any{"id": site["id"], "name": "before"}}
				id := a.create(t, 0, nil)().OK(t, http.StatusOK).Object(t)["id"].(string)
				answers := together(
					change(t, a, site["id"].(string)),
					a.create(t, 1, map[string]any{"sites": sites}),
					a.create(t, 0, map[string]any{"sites": sites}),
					a.create(t, 1, map[string]any{"sites": sites}),
					a.call(t, 1, http.MethodPut, "/patients/"+id, map[string]any{"fullName": "Bea", "birthDate": "2001-02-03", "sites": sites}),
				)
				require.Less(t, answers[0].Status, 300, string(answers[0].Body))
				for _, answer := range answers[1:] {
					require.Contains(t, []int{http.StatusOK, http.StatusUnprocessableEntity}, answer.Status, string(answer.Body))
				}
				a.requireSites(t)
				a.requireCounts(t)
			})
		})
	}
}

// requireSites asserts that every site of a patient is one of the clinic, under its name.
func (a arena) requireSites(t *testing.T) {
	t.Helper()
	clinic := testkit.Documents(t, a.Store, "clinics", bson.M{"_id": a.clinicID})[0]
	names := map[any]any{}
	for _, site := range list(clinic["sites"]) {
		names[member(site, "id")] = member(site, "name")
	}
	for _, patient := range a.patients(t) {
		for _, site := range list(patient["sites"]) {
			require.Contains(t, names, member(site, "id"), "a site that is gone")
			require.Equal(t, names[member(site, "id")], member(site, "name"))
		}
	}
}

func list(value any) bson.A {
	elements, _ := value.(bson.A)
	return elements
}

func member(document any, name string) any {
	for _, element := range document.(bson.D) {
		if element.Key == name {
			return element.Value
		}
	}
	return nil
}
