package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// sitedClinic is a clinic with the sites North and South and patients who belong to them in every way that older writers
// left behind.
type sitedClinic struct {
	app          *testkit.App
	id           string
	path         string
	north, south string
	patients     map[string]string // user ids by what is stored
}

func siteOf(t *testing.T, id, name string) bson.D {
	t.Helper()
	return bson.D{{Key: "id", Value: oid(t, id)}, {Key: "name", Value: name}}
}

func newSitedClinic(t *testing.T, app *testkit.App) sitedClinic {
	t.Helper()
	clinicID, _ := app.NewClinic(t)
	c := sitedClinic{
		app: app, id: clinicID, path: "/v1/clinics/" + clinicID + "/sites", patients: map[string]string{},
		north: newGroup(t, app, "sites", clinicID, "North"), south: newGroup(t, app, "sites", clinicID, "South"),
	}
	north, south := siteOf(t, c.north, "North"), siteOf(t, c.south, "South")
	for name, sites := range map[string]any{
		"absent": "absent", "null": nil, "empty": bson.A{}, "south": bson.A{south}, "both": bson.A{north, south},
		"twice": bson.A{north, south, append(north, bson.E{Key: "patients", Value: 7})}, "north": bson.A{north},
	} {
		c.addPatient(t, name, bson.M{"sites": sites})
	}
	c.recount(t)
	require.Equal(t, map[string]float64{"North": 4, "South": 3}, groups(t, app, clinicID, "sites"))
	return c
}

func (c sitedClinic) addPatient(t *testing.T, name string, fields bson.M) {
	t.Helper()
	id := testkit.NewUserID()
	document := bson.M{"clinicId": oid(t, c.id), "userId": id, "fullName": name, "updatedTime": bson.DateTime(1)}
	for key, value := range fields {
		if value != "absent" {
			document[key] = value
		}
	}
	_, err := c.app.Store.Collection("patients").InsertOne(t.Context(), document)
	require.NoError(t, err)
	c.patients[name] = id
}

func (c sitedClinic) recount(t *testing.T) {
	t.Helper()
	c.app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+c.id+"/patient_count/refresh", nil).OK(t, http.StatusOK)
}

// sites is storedField for the sites of the patients.
func (c sitedClinic) sites(t *testing.T) (stored map[string]any, touched []string) {
	t.Helper()
	return storedField(t, c.app, c.id, c.patients, "sites")
}

func TestCreateSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	admin := testkit.User(adminID)
	path := "/v1/clinics/" + clinicID + "/sites"
	created := app.Call(t, admin, http.MethodPost, path, map[string]any{"name": "East (2) "}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{"id": created["id"], "name": "East (2) "}, created)
	stored := testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)})[0]
	require.Equal(t, bson.A{siteOf(t, created["id"].(string), "East (2) ")}, stored["sites"])
	require.Greater(t, stored["updatedTime"], stored["createdTime"])
	app.Call(t, admin, http.MethodPost, path, map[string]any{"name": "EAST (2) "}).Fails(t, http.StatusConflict, "duplicate site name")
	app.Call(t, admin, http.MethodPost, path, map[string]any{"name": "East (2)"}).OK(t, http.StatusOK)
	for _, wrong := range []any{nil, map[string]any{}, map[string]any{"name": ""}, map[string]any{"name": nil}, map[string]any{"name": " a"}} {
		app.Call(t, admin, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/sites", map[string]any{"name": "X"}).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.User(app.NewMember(t, clinicID, "CLINIC_MEMBER")), http.MethodPost, path, map[string]any{"name": "X"}).Fails(t, http.StatusForbidden, notAuthorized)
}

func TestUpdateSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c, bystanders := newSitedClinic(t, app), newSitedClinic(t, app)
	rename := func(id, name string) testkit.Response {
		return app.Call(t, testkit.Service, http.MethodPut, c.path+"/"+id, map[string]any{"id": c.south, "name": name})
	}
	rename(c.north, "south").Fails(t, http.StatusConflict, "checking site constraints: duplicate site name")
	rename("0123456789abcdef01234567", "X").Fails(t, http.StatusUnprocessableEntity, "constraint violation: the clinic has no site with that name")
	app.Call(t, testkit.Service, http.MethodPut, unknownClinic+"/sites/"+c.north, map[string]any{"id": c.north, "name": "X"}).
		Fails(t, http.StatusNotFound, "checking site constraints: clinic not found")
	for _, wrong := range []any{nil, map[string]any{}, map[string]any{"name": "X"}, map[string]any{"id": c.north}, map[string]any{"id": c.north, "name": ""}} {
		app.Call(t, testkit.Service, http.MethodPut, c.path+"/"+c.north, wrong).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodPut, c.path+"/"+c.north, nil).Fails(t, http.StatusForbidden, notAuthorized)
	_, touched := c.sites(t)
	require.Empty(t, touched)

	north, south := siteOf(t, c.north, "NORTH"), siteOf(t, c.south, "South")
	for range 2 { // its own name is no duplicate
		require.Equal(t, map[string]any{"id": c.north, "name": "NORTH", "numPatients": 4.0, "patients": 4.0}, rename(c.north, "NORTH").OK(t, http.StatusOK).Object(t))
		stored, touched := c.sites(t)
		require.Equal(t, map[string]any{
			"absent": "absent", "null": nil, "empty": bson.A{}, "south": bson.A{south}, "both": bson.A{north, south},
			"twice": bson.A{north, south, append(north, bson.E{Key: "patients", Value: int32(7)})}, "north": bson.A{north},
		}, stored)
		require.Equal(t, []string{"both", "north", "twice"}, touched)
	}
	require.Equal(t, map[string]float64{"NORTH": 4, "South": 3}, groups(t, app, c.id, "sites"))
	_, touched = bystanders.sites(t)
	require.Empty(t, touched)

	// A crash after the clinic was written, and before the patients were.
	setClinic(t, app, c.id, bson.M{"sites.0.name": "Nord"})
	rename(c.north, "Nord").OK(t, http.StatusOK)
	stored, _ := c.sites(t)
	require.Equal(t, bson.A{siteOf(t, c.north, "Nord")}, stored["north"])
	unused := newGroup(t, app, "sites", c.id, "Unused")
	require.Equal(t, map[string]any{"id": unused, "name": "Still unused"}, rename(unused, "Still unused").OK(t, http.StatusOK).Object(t), "zero is left out")
}

func TestDeleteSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c, bystanders := newSitedClinic(t, app), newSitedClinic(t, app)
	app.Call(t, testkit.User(app.NewMember(t, c.id, "PRESCRIBER")), http.MethodDelete, c.path+"/"+c.north, nil).Fails(t, http.StatusForbidden, notAuthorized)
	for _, path := range []string{c.path + "/0123456789abcdef01234567", unknownClinic + "/sites/" + c.north, bystanders.path + "/" + c.north} {
		app.Call(t, testkit.Service, http.MethodDelete, path, nil).Fails(t, http.StatusNotFound, "clinic not found")
	}
	require.Empty(t, app.Call(t, testkit.Service, http.MethodDelete, c.path+"/"+c.north, nil).OK(t, http.StatusNoContent).Body)
	south := siteOf(t, c.south, "South")
	stored, touched := c.sites(t)
	require.Equal(t, map[string]any{
		"absent": "absent", "null": nil, "empty": bson.A{}, "south": bson.A{south}, "both": bson.A{south}, "twice": bson.A{south}, "north": bson.A{},
	}, stored)
	require.Equal(t, []string{"both", "north", "twice"}, touched)
	require.Equal(t, map[string]float64{"South": 3}, groups(t, app, c.id, "sites"))
	app.Call(t, testkit.Service, http.MethodDelete, c.path+"/"+c.north, nil).Fails(t, http.StatusNotFound, "clinic not found")
	_, touched = bystanders.sites(t)
	require.Empty(t, touched)
}

func TestMergeSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c, bystanders := newSitedClinic(t, app), newSitedClinic(t, app)
	merge := func(target string, body any) testkit.Response {
		return app.Call(t, testkit.Service, http.MethodPost, c.path+"/"+target+"/merge", body)
	}
	from := func(id string) any { return map[string]any{"id": id} }
	const nowhere = "0123456789abcdef01234567"
	merge(c.south, from(c.south)).Fails(t, http.StatusBadRequest, "can't merge a site into itself: bad request")
	merge(nowhere, from(c.north)).Fails(t, http.StatusNotFound, "not found")
	merge(c.south, from(nowhere)).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/sites/"+c.south+"/merge", from(c.north)).Fails(t, http.StatusNotFound, "clinic not found")
	for _, wrong := range []any{nil, map[string]any{}, map[string]any{"id": nil}, map[string]any{"id": "x"}} {
		merge(c.south, wrong).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.User(app.NewMember(t, c.id, "CLINIC_ADMIN")), http.MethodPost, c.path+"/"+c.south+"/merge", from(c.north)).Fails(t, http.StatusForbidden, notAuthorized)
	_, touched := c.sites(t)
	require.Empty(t, touched)

	require.Equal(t, map[string]any{"id": c.south, "name": "South", "numPatients": 4.0, "patients": 4.0}, merge(c.south, from(c.north)).OK(t, http.StatusOK).Object(t))
	south := siteOf(t, c.south, "South")
	stored, touched := c.sites(t)
	require.Equal(t, map[string]any{
		"absent": "absent", "null": nil, "empty": bson.A{}, "south": bson.A{south}, "both": bson.A{south}, "twice": bson.A{south}, "north": bson.A{south},
	}, stored)
	require.Equal(t, []string{"both", "north", "twice"}, touched)
	require.Equal(t, map[string]float64{"South": 4}, groups(t, app, c.id, "sites"))
	merge(c.south, from(c.north)).Fails(t, http.StatusNotFound, "clinic not found")
	_, touched = bystanders.sites(t)
	require.Empty(t, touched)
}
