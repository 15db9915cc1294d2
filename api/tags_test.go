package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// newGroup adds a tag (patient_tags) or a site (sites) to a clinic and returns its id.
func newGroup(t *testing.T, app *testkit.App, kind, clinicID, name string) string {
	t.Helper()
	return app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/"+kind, map[string]any{"name": name}).OK(t, http.StatusOK).Object(t)["id"].(string)
}

// groups returns the names of tags (patientTags) or sites with their numbers of patients, as the clinic shows them.
func groups(t *testing.T, app *testkit.App, clinicID, kind string) map[string]float64 {
	t.Helper()
	numbers := map[string]float64{}
	list, _ := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID, nil).OK(t, http.StatusOK).Object(t)[kind].([]any)
	for _, group := range list {
		shown := group.(map[string]any)
		n, ok := shown["numPatients"].(float64)
		require.Equal(t, ok, n != 0, "zero is left out")
		numbers[shown["name"].(string)] = n
	}
	return numbers
}

func setClinic(t *testing.T, app *testkit.App, clinicID string, fields bson.M) {
	t.Helper()
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), oid(t, clinicID), bson.M{"$set": fields})
	require.NoError(t, err)
}

func TestPatientTagsOfAClinic(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	member := testkit.User(app.NewMember(t, clinicID, "CLINIC_MEMBER"))
	path := "/v1/clinics/" + clinicID + "/patient_tags"
	created := app.Call(t, member, http.MethodPost, path, map[string]any{"name": "Al pha  ", "id": "0123456789abcdef01234567", "numPatients": 9}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{"id": created["id"], "name": "Al pha"}, created)
	require.NotEqual(t, "0123456789abcdef01234567", created["id"])
	other := newGroup(t, app, "patient_tags", clinicID, "Beta")
	id := created["id"].(string)
	stored := testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)})[0]
	require.Equal(t, bson.A{
		bson.D{{Key: "_id", Value: oid(t, id)}, {Key: "name", Value: "Al pha"}},
		bson.D{{Key: "_id", Value: oid(t, other)}, {Key: "name", Value: "Beta"}},
	}, stored["patientTags"])
	require.Greater(t, stored["updatedTime"], stored["createdTime"])

	rename := func(id, name string) testkit.Response {
		return app.Call(t, member, http.MethodPut, path+"/"+id, map[string]any{"id": other, "name": name})
	}
	app.Call(t, member, http.MethodPost, path, map[string]any{"name": "ALPHA"}).Fails(t, http.StatusConflict, "duplicate patient tag")
	rename(other, "a l p h a").Fails(t, http.StatusConflict, "duplicate patient tag")
	rename("0123456789abcdef01234567", "Gamma").Fails(t, http.StatusNotFound, "patient tag not found")
	rename(id, "alpha").OK(t, http.StatusOK)
	app.NewPatient(t, clinicID, "Tagged Patient", map[string]any{"tags": []string{id}})
	require.Equal(t, map[string]any{"id": id, "name": "Gamma", "numPatients": 1.0}, rename(id, "Gamma ").OK(t, http.StatusOK).Object(t))
	require.Equal(t, map[string]float64{"Gamma": 1, "Beta": 0}, groups(t, app, clinicID, "patientTags"))

	for _, wrong := range []any{nil, map[string]any{}, map[string]any{"name": ""}, map[string]any{"name": nil}, map[string]any{"name": " a"}, map[string]any{"name": "a.b"}, map[string]any{"name": "123456789012345678901"}} {
		app.Call(t, member, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
		app.Call(t, member, http.MethodPut, path+"/"+id, wrong).OK(t, http.StatusBadRequest)
	}
	for _, caller := range []string{testkit.NewUserID(), app.NewMember(t, clinicID, "PRESCRIBER")} {
		app.Call(t, testkit.User(caller), http.MethodPost, path, map[string]any{"name": "X"}).Fails(t, http.StatusForbidden, notAuthorized)
		app.Call(t, testkit.User(caller), http.MethodPut, path+"/"+id, map[string]any{"name": "X"}).Fails(t, http.StatusForbidden, notAuthorized)
		app.Call(t, testkit.User(caller), http.MethodDelete, path+"/"+id, nil).Fails(t, http.StatusForbidden, notAuthorized)
	}
	app.Call(t, member, http.MethodDelete, path+"/"+id, nil).Fails(t, http.StatusForbidden, notAuthorized)
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		app.Call(t, testkit.Service, method, unknownClinic+"/patient_tags/"+id, map[string]any{"name": "X"}).Fails(t, http.StatusNotFound, "clinic not found")
	}
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/patient_tags", map[string]any{"name": "X"}).Fails(t, http.StatusNotFound, "clinic not found")

	for range 2 { // the second time it is not there any more
		require.Empty(t, app.Call(t, testkit.User(adminID), http.MethodDelete, path+"/"+id, nil).OK(t, http.StatusNoContent).Body)
		stored = testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)})[0]
		require.Equal(t, oid(t, id), stored["lastDeletedPatientTag"])
		require.Equal(t, bson.A{bson.D{{Key: "_id", Value: oid(t, other)}, {Key: "name", Value: "Beta"}}}, stored["patientTags"])
	}
	require.Equal(t, bson.A{oid(t, id)}, testkit.Documents(t, app.Store, "patients", bson.M{"clinicId": oid(t, clinicID)})[0]["tags"], "patients keep it")
}

func TestAClinicHasAtMostFiftyTagsAndSites(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, _ := app.NewClinic(t)
	var tags, sites bson.A
	for i := range 49 {
		tags = append(tags, bson.M{"_id": bson.NewObjectID(), "name": fmt.Sprint("T", i), "patients": 3}) // older writers left numbers
		sites = append(sites, bson.M{"id": bson.NewObjectID(), "name": fmt.Sprint("S", i)})
	}
	setClinic(t, app, clinicID, bson.M{"patientTags": tags, "sites": sites})
	for kind, want := range map[string]struct{ duplicate, full string }{
		"patient_tags": {"constraint violation: the clinic already has the maximum number of 50 patient tags", "constraint violation: the clinic already has the maximum number of 50 patient tags"},
		"sites":        {"duplicate site name", "constraint violation: the clinic already has the maximum number of 50 sites"},
	} {
		newGroup(t, app, kind, clinicID, "Fifty")
		post := func(name string) testkit.Response {
			return app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/"+kind, map[string]any{"name": name})
		}
		status := http.StatusUnprocessableEntity
		post("Fifty-one").Fails(t, status, want.full)
		if kind == "sites" {
			status = http.StatusConflict
		}
		post("fifty").Fails(t, status, want.duplicate)
	}
	require.Len(t, groups(t, app, clinicID, "patientTags"), 50)
	require.Zero(t, groups(t, app, clinicID, "patientTags")["T7"], "left-over numbers are not shown")
}

func TestGroupsCanBeAddedToNullAndAtTheSameTime(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, _ := app.NewClinic(t)
	setClinic(t, app, clinicID, bson.M{"patientTags": nil, "sites": nil})
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+clinicID+"/patient_tags/0123456789abcdef01234567", nil).OK(t, http.StatusNoContent)
	for kind, shown := range map[string]string{"patient_tags": "patientTags", "sites": "sites"} {
		statuses := make(chan int)
		for range 4 {
			go func() {
				statuses <- app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/"+kind, map[string]any{"name": "Once"}).Status
			}()
		}
		made := 0
		for range 4 {
			status := <-statuses
			if status == http.StatusOK {
				made++
				continue
			}
			require.Equal(t, http.StatusConflict, status)
		}
		require.Equal(t, 1, made)
		require.Equal(t, map[string]float64{"Once": 0}, groups(t, app, clinicID, shown))
	}
}
