package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func storedPatient(t *testing.T, app *testkit.App, clinicID, userID string) bson.M {
	t.Helper()
	documents := testkit.Documents(t, app.Store, "patients", bson.M{"clinicId": oid(t, clinicID), "userId": userID})
	require.Len(t, documents, 1)
	return documents[0]
}

// sharePatient makes a user a patient who shares their data with a clinic, and returns the user id.
func sharePatient(t *testing.T, app *testkit.App, clinicID string, userID string) string {
	t.Helper()
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/patients/"+userID, map[string]any{
		"permissions": map[string]any{"view": map[string]any{}}, "fullName": "Sam Shared", "birthDate": "1990-05-06",
	}).OK(t, http.StatusOK)
	return userID
}

func patientCount(t *testing.T, app *testkit.App, clinicID string) map[string]any {
	t.Helper()
	return app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID+"/patient_count", nil).OK(t, http.StatusOK).Object(t)
}

func TestAUserLeavesAllClinics(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := app.NewUser(t, "Uma User")
	asPatient, _ := app.NewClinic(t)
	sharePatient(t, app, asPatient, userID)
	app.NewPatient(t, asPatient, "Somebody Else", nil)
	asAdmin, otherAdmin := app.NewClinic(t)
	add := func(clinicID string) {
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
			"id": userID, "email": userID + "@example.com", "roles": []string{"CLINIC_ADMIN"},
		}).OK(t, http.StatusOK)
	}
	add(asAdmin)
	legacy := legacyClinic(t, app)
	_, err := app.Store.Collection("clinicians").InsertMany(t.Context(), []any{
		bson.M{"clinicId": bson.NewObjectID(), "userId": userID, "roles": bson.A{"CLINIC_ADMIN"}}, // without clinic
		bson.M{"clinicId": oid(t, legacy), "userId": userID, "roles": bson.A{"CLINIC_MEMBER"}},
	})
	require.NoError(t, err)

	path := "/v1/users/" + userID + "/clinics"
	for _, caller := range []string{userID, otherAdmin} {
		app.Call(t, testkit.User(caller), http.MethodDelete, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
	}
	for range 2 { // the second time there is nothing to do
		require.Empty(t, app.Call(t, testkit.Service, http.MethodDelete, path, nil).OK(t, http.StatusOK).Body)
		require.Empty(t, testkit.Documents(t, app.Store, "clinicians", bson.M{"userId": userID}))
		require.Empty(t, testkit.Documents(t, app.Store, "patients", bson.M{"userId": userID}))
		records := testkit.Documents(t, app.Store, "patient_deletions", bson.M{"patient.userId": userID})
		require.Len(t, records, 1)
		require.NotContains(t, records[0], "deletedByUserId")
		require.Len(t, testkit.Documents(t, app.Store, "clinician_deletions", bson.M{"clinician.userId": userID}), 3)
		require.Equal(t, bson.A{otherAdmin}, storedAdmins(t, app, asAdmin))
		require.Equal(t, map[string]any{"total": 1.0, "demo": 0.0, "plan": 1.0}, patientCount(t, app, asPatient))
	}
}

func TestTheLastMemberTakesSharedPatientsAlong(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	owned := app.NewPatient(t, clinicID, "Owned Patient", nil)["id"].(string)
	shared := sharePatient(t, app, clinicID, app.NewUser(t, "Sam Shared"))
	legacy := sharePatient(t, app, clinicID, app.NewUser(t, "Lea Legacy"))
	_, err := app.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": legacy}, bson.M{"$set": bson.M{"permissions": bson.M{"custodian": false}}})
	require.NoError(t, err)
	second := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	leave := func(userID string) {
		app.Call(t, testkit.Service, http.MethodDelete, "/v1/users/"+userID+"/clinics", nil).OK(t, http.StatusOK)
	}
	leave(adminID)
	require.Equal(t, 3.0, patientCount(t, app, clinicID)["total"], "another member is there")
	invite := newInvite(t, app, clinicID, "nurse", "", "CLINIC_MEMBER")
	leave(second)
	require.Equal(t, 3.0, patientCount(t, app, clinicID)["total"], "an invite is there")

	app.Call(t, testkit.Service, http.MethodDelete, invite, nil).OK(t, http.StatusOK)
	last := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	leave(last)
	require.Equal(t, map[string]any{"total": 1.0, "demo": 0.0, "plan": 1.0}, patientCount(t, app, clinicID))
	storedPatient(t, app, clinicID, owned)
	for _, userID := range []string{shared, legacy} {
		records := testkit.Documents(t, app.Store, "patient_deletions", bson.M{"patient.userId": userID})
		require.Len(t, records, 1)
		require.NotContains(t, records[0], "deletedByUserId")
	}
	require.NotEmpty(t, testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)}), "the clinic stays")
}

func TestUpdateClinicUserDetails(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := app.NewUser(t, "Uma User")
	first, _ := app.NewClinic(t)
	second, _ := app.NewClinic(t)
	for _, clinicID := range []string{first, second} {
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
			"id": userID, "email": userID + "@example.com", "roles": []string{"CLINIC_MEMBER"},
		}).OK(t, http.StatusOK)
		sharePatient(t, app, clinicID, userID)
	}
	bystander := app.NewMember(t, first, "CLINIC_MEMBER")
	path := "/v1/users/" + userID + "/clinics"
	change := func(body any) {
		time.Sleep(2 * time.Millisecond)
		require.Empty(t, app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK).Body)
	}
	members, patients := [2]bson.M{}, [2]bson.M{}
	read := func() {
		for i, clinicID := range []string{first, second} {
			members[i], patients[i] = storedMember(t, app, clinicID, userID), storedPatient(t, app, clinicID, userID)
		}
	}
	read()
	before := [2][2]bson.M{members, patients}
	change(map[string]any{"email": "New." + userID + "@Example.com"})
	read()
	for i := range members {
		for j, after := range []bson.M{members[i], patients[i]} {
			want := before[j][i]
			require.Greater(t, after["updatedTime"], want["updatedTime"])
			want["email"], want["updatedTime"] = "new."+userID+"@example.com", after["updatedTime"]
			require.Equal(t, want, after)
		}
	}
	require.Equal(t, bystander+"@example.com", storedMember(t, app, first, bystander)["email"])

	for _, absent := range []any{nil, map[string]any{}} {
		unchanged := members
		change(absent)
		read()
		require.Equal(t, unchanged, members, "members keep their address")
		for i := range patients {
			require.NotContains(t, patients[i], "email", "it is removed, not null")
		}
		change(map[string]any{"email": "again." + userID + "@example.com"})
		read()
	}

	for _, wrong := range []any{map[string]any{"email": ""}, map[string]any{"email": "bad"}, map[string]any{"email": nil}} {
		app.Call(t, testkit.Service, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"email": bystander + "@EXAMPLE.com"}).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: duplicate email")
	unchanged := [2][2]bson.M{members, patients}
	read()
	require.Equal(t, unchanged, [2][2]bson.M{members, patients})
	app.Call(t, testkit.User(userID), http.MethodPost, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/users/0000000000/clinics", map[string]any{"email": "nobody@example.com"}).OK(t, http.StatusOK)
}
