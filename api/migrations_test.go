package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// newLegacyAccount makes a user whose account stands for a clinic.
func newLegacyAccount(t *testing.T, app *testkit.App) string {
	t.Helper()
	id := app.NewUser(t, "Lea Legacy")
	app.Standin.AddUser(standin.User{UserID: id, Emails: []string{id + "@example.com"}, Roles: []string{"clinic"}})
	return id
}

func newLegacyClinic(t *testing.T, app *testkit.App, userID string) string {
	t.Helper()
	return app.Call(t, testkit.Service, http.MethodPost, "/v1/clinicians/"+userID+"/migrate", nil).OK(t, http.StatusOK).Object(t)["id"].(string)
}

var completeProfile = map[string]any{
	"name": "Harbour", "preferredBgUnits": "mg/dL", "address": "1 Pier", "city": "Portland", "state": "ME", "postalCode": "04101",
	"country": "US", "clinicType": "other",
}

func TestEnableNewClinicExperienceMakesAnEmptyClinic(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	userID := newLegacyAccount(t, app)
	clinic := app.Call(t, testkit.Service, http.MethodPost, "/v1/clinicians/"+userID+"/migrate", nil).OK(t, http.StatusOK).Object(t)
	id, code := clinic["id"].(string), clinic["shareCode"].(string)
	require.Equal(t, map[string]any{
		"id": id, "shareCode": code, "name": "", "canMigrate": false, "preferredBgUnits": "mg/dL", "tier": "tier0100", "tierDescription": "Free",
		"createdTime": clinic["createdTime"], "updatedTime": clinic["createdTime"],
	}, clinic)
	require.JSONEq(t, `[{"_id":"oid:`+id+`","timezone":null,"canonicalShareCode":"`+code+`","shareCodes":["`+code+`"],"admins":["`+userID+`"],
		"patientCountSettings":{"hardLimit":{"plan":250}},"patientCount":{"total":0,"demo":0,"plan":0},"createdTime":"date","updatedTime":"date"}]`,
		storedClinic(t, app, id))
	require.Empty(t, testkit.Documents(t, app.Store, "patients", bson.D{}), "no demo patient")
	require.NotEqual(t, id, newLegacyClinic(t, app, userID), "a second call makes a second clinic")

	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinicians/"+testkit.NewUserID()+"/migrate", nil).Fails(t, http.StatusNotFound, "not found")
	other := app.NewUser(t, "Max")
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinicians/"+other+"/migrate", nil).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: user "+other+" is not clinician")
}

func TestTriggerInitialMigration(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := newLegacyAccount(t, app)
	id := newLegacyClinic(t, app, userID)
	path := "/v1/clinics/" + id
	admin := testkit.User(userID)

	app.Call(t, admin, http.MethodPost, path+"/migrate", nil).Fails(t, http.StatusUnprocessableEntity, "constraint violation: incomplete clinic profile")
	profile := app.Call(t, admin, http.MethodPut, path, completeProfile).OK(t, http.StatusOK).Object(t)
	require.Equal(t, true, profile["canMigrate"])
	app.Call(t, admin, http.MethodPost, path+"/migrate", `{"attestationSubmitted":1}`).OK(t, http.StatusBadRequest)

	setAdmins(t, app, id, userID, "second")
	app.Call(t, admin, http.MethodPost, path+"/migrate", nil).Fails(t, http.StatusUnprocessableEntity, "constraint violation: the clinic must have exactly one admin")
	setAdmins(t, app, id, "gone")
	app.Call(t, admin, http.MethodPost, path+"/migrate", nil).Fails(t, http.StatusNotFound, "not found")
	ordinary := app.NewUser(t, "Max")
	setAdmins(t, app, id, ordinary)
	app.Call(t, admin, http.MethodPost, path+"/migrate", nil).Fails(t, http.StatusUnprocessableEntity, "constraint violation: user "+ordinary+" is not clinician")
	setAdmins(t, app, id, userID)
	require.Empty(t, testkit.Documents(t, app.Store, "migrations", bson.D{{Key: "clinicId", Value: hexID(t, id)}}), "nothing happened yet")

	before := storedClinic(t, app, id)
	migration := app.Call(t, admin, http.MethodPost, path+"/migrate", `{"attestationSubmitted":true}`).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{
		"userId": userID, "status": "PENDING", "createdTime": migration["createdTime"], "updatedTime": migration["createdTime"],
	}, migration)
	recordID := testkit.Documents(t, app.Store, "migrations", bson.D{{Key: "clinicId", Value: hexID(t, id)}})[0]["_id"].(bson.ObjectID).Hex()
	require.JSONEq(t, `[{"_id":"oid:`+recordID+`","clinicId":"oid:`+id+`","userId":"`+userID+`","status":"PENDING","createdTime":"date","updatedTime":"date"}]`,
		testkit.Stored(t, app.Store, "migrations", bson.D{{Key: "clinicId", Value: hexID(t, id)}}))
	require.JSONEq(t, before[:len(before)-2]+`,"isMigrated":true}]`, storedClinic(t, app, id), "only isMigrated and updatedTime change")
	require.Equal(t, false, app.Call(t, admin, http.MethodGet, path, nil).Object(t)["canMigrate"])
	app.Call(t, admin, http.MethodPost, path+"/migrate", nil).Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is already migrated")
}

func setAdmins(t *testing.T, app *testkit.App, clinicID string, admins ...string) {
	t.Helper()
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, clinicID), bson.D{{Key: "$set", Value: bson.D{{Key: "admins", Value: admins}}}})
	require.NoError(t, err)
}

func TestAnAccountMovesOnlyOnce(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := newLegacyAccount(t, app)
	var ids []string
	for range 2 {
		id := newLegacyClinic(t, app, userID)
		app.Call(t, testkit.User(userID), http.MethodPut, "/v1/clinics/"+id, completeProfile).OK(t, http.StatusOK)
		ids = append(ids, id)
	}
	app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics/"+ids[0]+"/migrate", nil).OK(t, http.StatusOK)
	before := storedClinic(t, app, ids[1])
	app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics/"+ids[1]+"/migrate", nil).Fails(t, http.StatusConflict, "migration duplicate")
	require.JSONEq(t, before, storedClinic(t, app, ids[1]))
}

func TestTriggerInitialMigrationCompletesOneThatWasCutOff(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := newLegacyAccount(t, app)
	id := newLegacyClinic(t, app, userID)
	path := "/v1/clinics/" + id
	app.Call(t, testkit.User(userID), http.MethodPut, path, completeProfile).OK(t, http.StatusOK)
	first := app.Call(t, testkit.User(userID), http.MethodPost, path+"/migrate", nil).OK(t, http.StatusOK).Object(t)
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, id), bson.D{{Key: "$unset", Value: bson.D{{Key: "isMigrated", Value: ""}}}})
	require.NoError(t, err)
	require.Equal(t, first, app.Call(t, testkit.User(userID), http.MethodPost, path+"/migrate", nil).OK(t, http.StatusOK).Object(t))
	require.Contains(t, storedClinic(t, app, id), `"isMigrated":true`)
}

func TestMigrationsOfFurtherMembers(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, admin := app.NewClinic(t)
	path := "/v1/clinics/" + id + "/migrations"
	list := func(path string) string {
		return string(app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Body)
	}
	require.JSONEq(t, `[]`, list(path))
	require.JSONEq(t, `[]`, list("/v1/clinics/"+noClinic+"/migrations"))
	require.JSONEq(t, `[]`, list("/v1/clinics/no-id/migrations"))
	app.Call(t, testkit.Service, http.MethodGet, path+"/"+admin, nil).Fails(t, http.StatusNotFound, "migration not found")
	app.Call(t, testkit.Service, http.MethodPatch, path+"/"+admin, `{"status":"RUNNING"}`).Fails(t, http.StatusNotFound, "migration not found")

	stranger := map[string]any{"userId": testkit.NewUserID()}
	app.Call(t, testkit.Service, http.MethodPost, path, stranger).Fails(t, http.StatusNotFound, "clinician not found")
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/no-id/migrations", stranger).Fails(t, http.StatusNotFound, "clinician not found")
	for _, body := range []any{nil, `{}`, `{"userId":""}`} {
		app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusBadRequest)
	}
	legacy := newLegacyAccount(t, app)
	shell := newLegacyClinic(t, app, legacy)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+shell+"/migrations", map[string]any{"userId": legacy}).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")

	created := app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"userId": admin, "status": "COMPLETED"}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "PENDING", created["status"])
	app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"userId": admin}).Fails(t, http.StatusConflict, "migration duplicate")
	require.Equal(t, created, app.Call(t, testkit.User(admin), http.MethodGet, path+"/"+admin, nil).OK(t, http.StatusOK).Object(t))
	require.Equal(t, []map[string]any{created}, app.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusOK).List(t))

	for _, status := range []string{"RUNNING", "COMPLETED", "COMPLETED", "PENDING"} {
		updated := app.Call(t, testkit.Service, http.MethodPatch, path+"/"+admin, map[string]any{"status": status}).OK(t, http.StatusOK).Object(t)
		require.Equal(t, status, updated["status"])
		require.Equal(t, created["createdTime"], updated["createdTime"])
		require.Equal(t, updated, app.Call(t, testkit.Service, http.MethodGet, path+"/"+admin, nil).OK(t, http.StatusOK).Object(t))
	}
	for _, body := range []any{nil, `{}`, `{"status":"running"}`, `{"status":"LOST"}`, `{"status":null}`} {
		app.Call(t, testkit.Service, http.MethodPatch, path+"/"+admin, body).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.Service, http.MethodPatch, "/v1/clinics/"+noClinic+"/migrations/"+admin, `{"status":"RUNNING"}`).Fails(t, http.StatusNotFound, "migration not found")
}
