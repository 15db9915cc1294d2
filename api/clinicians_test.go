package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

const (
	lastAdmin     = "constraint violation: the clinic must have at least one admin"
	notAuthorized = "security requirements failed: the subject is not authorized for the requested action"
	absentBody    = "request body has an error: value is required but missing"
	unknownClinic = "/v1/clinics/0123456789abcdef01234567"
)

func storedMembers(t *testing.T, app *testkit.App, clinicID string) []bson.M {
	t.Helper()
	return testkit.Documents(t, app.Store, "clinicians", bson.M{"clinicId": oid(t, clinicID)})
}

func storedMember(t *testing.T, app *testkit.App, clinicID, userID string) bson.M {
	t.Helper()
	documents := testkit.Documents(t, app.Store, "clinicians", bson.M{"clinicId": oid(t, clinicID), "userId": userID})
	require.Len(t, documents, 1)
	return documents[0]
}

func storedAdmins(t *testing.T, app *testkit.App, clinicID string) bson.A {
	t.Helper()
	return testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)})[0]["admins"].(bson.A)
}

func oid(t *testing.T, hex string) bson.ObjectID {
	t.Helper()
	id, err := bson.ObjectIDFromHex(hex)
	require.NoError(t, err)
	return id
}

// legacyClinic makes a clinic that is not migrated.
func legacyClinic(t *testing.T, app *testkit.App) (clinicID string) {
	t.Helper()
	clinicID, _ = app.NewClinic(t)
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), oid(t, clinicID), bson.M{"$unset": bson.M{"isMigrated": ""}})
	require.NoError(t, err)
	return clinicID
}

func TestCreateClinician(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/clinicians"
	id := testkit.NewUserID()
	body := map[string]any{"id": id, "email": "Mo.Member@Example.COM", "roles": []string{"PRESCRIBER", "CLINIC_MEMBER"}, "createdTime": "2001-02-03T04:05:06Z"}
	created := app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK).Object(t)
	require.Equal(t, created, app.Call(t, testkit.User(adminID), http.MethodGet, path+"/"+id, nil).OK(t, http.StatusOK).Object(t))
	stored := storedMember(t, app, clinicID, id)
	require.WithinDuration(t, time.Now(), stored["createdTime"].(bson.DateTime).Time(), time.Minute)
	require.Equal(t, bson.M{
		"_id": stored["_id"], "clinicId": oid(t, clinicID), "userId": id, "email": "mo.member@example.com", "name": nil,
		"roles": bson.A{"PRESCRIBER", "CLINIC_MEMBER"}, "createdTime": stored["createdTime"], "updatedTime": stored["createdTime"],
	}, stored)
	require.Equal(t, bson.A{adminID}, storedAdmins(t, app, clinicID))

	for name, other := range map[string]map[string]any{
		"the same again": {},
		"same user":      {"email": "other@example.com"},
		"same address":   {"id": testkit.NewUserID(), "email": "mo.MEMBER@example.com"},
	} {
		again := map[string]any{"id": body["id"], "email": body["email"], "roles": body["roles"]}
		for key, value := range other {
			again[key] = value
		}
		response := app.Call(t, testkit.Service, http.MethodPost, path, again)
		response.Fails(t, http.StatusConflict, "duplicate: clinician is already a member of the clinic")
		require.Equal(t, stored, storedMember(t, app, clinicID, id), name)
	}
	other, _ := app.NewClinic(t)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+other+"/clinicians", body).OK(t, http.StatusOK)
}

func TestCreateClinicianRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/clinicians"
	body := map[string]any{"id": testkit.NewUserID(), "email": "a@example.com", "roles": []string{"CLINIC_MEMBER"}}
	for _, caller := range []string{adminID, app.NewMember(t, clinicID, "CLINIC_MEMBER"), testkit.NewUserID()} {
		app.Call(t, testkit.User(caller), http.MethodPost, path, body).Fails(t, http.StatusForbidden, notAuthorized)
	}
	before := storedMembers(t, app, clinicID)
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/clinicians", body).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+legacyClinic(t, app)+"/clinicians", body).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")
	app.Call(t, testkit.Service, http.MethodPost, path, nil).Fails(t, http.StatusBadRequest, absentBody)
	for _, change := range []map[string]any{
		{"id": nil}, {"email": nil}, {"roles": nil}, {"roles": []string{}}, {"roles": []string{"BOSS"}}, {"name": ""}, {"name": nil}, {"id": "X"},
	} {
		wrong := map[string]any{"id": body["id"], "email": body["email"], "roles": body["roles"]}
		for key, value := range change {
			wrong[key] = value
		}
		app.Call(t, testkit.Service, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
	}
	for _, nobody := range []map[string]any{
		{"email": "a@example.com", "roles": []string{"CLINIC_MEMBER"}},
		{"email": "a@example.com", "roles": []string{"CLINIC_MEMBER"}, "inviteId": ""},
	} {
		app.Call(t, testkit.Service, http.MethodPost, path, nobody).
			Fails(t, http.StatusBadRequest, "bad request: a clinician needs an id or an inviteId")
	}
	require.Equal(t, before, storedMembers(t, app, clinicID))
}

// A crash after the member was written, and before the clinic was.
func TestARepeatMakesTheNewMemberAnAdmin(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "stages a crash between two writes, which are one transaction")
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	second := app.NewMember(t, clinicID, "CLINIC_ADMIN")
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), oid(t, clinicID), bson.M{"$pull": bson.M{"admins": second}})
	require.NoError(t, err)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
		"id": second, "email": second + "@example.com", "roles": []string{"CLINIC_ADMIN"},
	}).OK(t, http.StatusConflict)
	require.Equal(t, bson.A{adminID, second}, storedAdmins(t, app, clinicID))
}

func TestUpdateClinician(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	admin := testkit.User(adminID)
	id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	path := "/v1/clinics/" + clinicID + "/clinicians/" + id
	before := storedMember(t, app, clinicID, id)
	time.Sleep(2 * time.Millisecond)

	update := func(caller testkit.Caller, body map[string]any) bson.M {
		updated := app.Call(t, caller, http.MethodPut, path, body).OK(t, http.StatusOK).Object(t)
		require.Equal(t, updated, app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t))
		return storedMember(t, app, clinicID, id)
	}
	stored := update(admin, map[string]any{
		"email": "ignored@example.com", "id": adminID, "inviteId": "ignored", "name": "Mo", "roles": []string{"CLINIC_MEMBER"}, "createdTime": "2001-02-03T04:05:06Z",
	})
	require.Greater(t, stored["updatedTime"], before["updatedTime"])
	want := before
	want["name"], want["updatedTime"] = "Mo", stored["updatedTime"]
	require.Equal(t, want, stored, "the roles did not change, and so no update of them is recorded")

	stored = update(admin, map[string]any{"email": "", "roles": []string{"PRESCRIBER", "CLINIC_MEMBER"}})
	require.Equal(t, bson.A{"PRESCRIBER", "CLINIC_MEMBER"}, stored["roles"])
	require.Contains(t, stored, "name")
	require.Nil(t, stored["name"], "a missing name clears the name")
	stored = update(admin, map[string]any{"email": "", "roles": []string{"CLINIC_MEMBER", "PRESCRIBER"}})
	require.Equal(t, bson.A{"CLINIC_MEMBER", "PRESCRIBER"}, stored["roles"])
	stored = update(testkit.Service, map[string]any{"email": "", "roles": []string{"PRESCRIBER", "CLINIC_ADMIN"}})
	require.Equal(t, bson.A{
		bson.D{{Key: "roles", Value: bson.A{"PRESCRIBER", "CLINIC_MEMBER"}}, {Key: "updatedBy", Value: adminID}},
		bson.D{{Key: "roles", Value: bson.A{"CLINIC_ADMIN", "PRESCRIBER"}}, {Key: "updatedBy", Value: "server"}},
	}, stored["rolesUpdates"])
	require.Equal(t, bson.A{adminID, id}, storedAdmins(t, app, clinicID))
	update(testkit.User(id), map[string]any{"email": "", "roles": []string{"CLINIC_MEMBER"}}) // an admin demotes himself
	require.Equal(t, bson.A{adminID}, storedAdmins(t, app, clinicID))
}

func TestUpdateClinicianRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	members := "/v1/clinics/" + clinicID + "/clinicians/"
	body := map[string]any{"email": "", "roles": []string{"CLINIC_MEMBER"}}
	before := storedMembers(t, app, clinicID)
	for _, caller := range []string{id, testkit.NewUserID(), app.NewMember(t, clinicID, "PRESCRIBER")} {
		app.Call(t, testkit.User(caller), http.MethodPut, members+id, body).Fails(t, http.StatusForbidden, notAuthorized)
	}
	app.Call(t, testkit.User(adminID), http.MethodPut, members+testkit.NewUserID(), body).Fails(t, http.StatusNotFound, "clinician not found")
	app.Call(t, testkit.Service, http.MethodPut, unknownClinic+"/clinicians/"+id, body).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+legacyClinic(t, app)+"/clinicians/"+id, body).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")
	app.Call(t, testkit.User(adminID), http.MethodPut, members+id, nil).Fails(t, http.StatusBadRequest, absentBody)
	app.Call(t, testkit.User(adminID), http.MethodPut, members+adminID, body).Fails(t, http.StatusUnprocessableEntity, lastAdmin)
	app.Call(t, testkit.User(adminID), http.MethodDelete, members+adminID, nil).Fails(t, http.StatusUnprocessableEntity, lastAdmin)
	require.Equal(t, before, storedMembers(t, app, clinicID)[:len(before)])
	require.Equal(t, bson.A{adminID}, storedAdmins(t, app, clinicID))
}

func TestRolesThatOthersChangedMeanwhile(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	path := "/v1/clinics/" + clinicID + "/clinicians/" + id
	for range 5 {
		responses := make(chan testkit.Response)
		for _, role := range []string{"CLINIC_MEMBER", "CLINIC_ADMIN", "PRESCRIBER", "CLINIC_ADMIN"} {
			go func() {
				responses <- app.Call(t, testkit.User(adminID), http.MethodPut, path, map[string]any{"email": "", "roles": []string{role}})
			}()
		}
		for range 4 {
			if response := <-responses; response.Status != http.StatusOK {
				response.Fails(t, http.StatusConflict, "conflict: the clinician was changed at the same time")
			}
		}
		stored := storedMember(t, app, clinicID, id)
		want := bson.A{adminID}
		if slices.Contains(stored["roles"].(bson.A), any("CLINIC_ADMIN")) {
			want = bson.A{adminID, id}
		}
		require.Equal(t, want, storedAdmins(t, app, clinicID), "admins and roles %v agree", stored["roles"])
		updates, _ := stored["rolesUpdates"].(bson.A)
		require.Equal(t, stored["roles"], updates[len(updates)-1].(bson.D)[0].Value, "the latest update is what is stored")
	}
}
