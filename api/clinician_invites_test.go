package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// newInvite adds an invite to a clinic and returns the path by which services use it.
func newInvite(t *testing.T, app *testkit.App, clinicID, inviteID, name string, roles ...string) (path string) {
	t.Helper()
	body := map[string]any{"inviteId": inviteID, "email": inviteID + "@example.com", "roles": roles}
	if name != "" {
		body["name"] = name
	}
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", body).OK(t, http.StatusOK)
	return "/v1/clinics/" + clinicID + "/invites/clinicians/" + inviteID + "/clinician"
}

func TestAssociateClinicianToUser(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	noName, emptyName := testkit.NewUserID(), testkit.NewUserID()
	app.Standin.AddProfile(emptyName, map[string]any{"fullName": ""})
	for name, test := range map[string]struct {
		userID string
		want   any
	}{
		"a profile":                    {app.NewUser(t, "Noor Newbie"), "Noor Newbie"},
		"no profile":                   {noName, "Invited Name"},
		"a profile with an empty name": {emptyName, "Invited Name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clinicID, adminID := app.NewClinic(t)
			path := newInvite(t, app, clinicID, "nurse", "Invited Name", "CLINIC_ADMIN", "PRESCRIBER")
			invite := app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t)
			require.Equal(t, "nurse", invite["inviteId"])
			before := testkit.Documents(t, app.Store, "clinicians", bson.M{"clinicId": oid(t, clinicID), "inviteId": "nurse"})[0]
			require.Equal(t, bson.A{adminID}, storedAdmins(t, app, clinicID), "an invite makes nobody an admin")

			member := app.Call(t, testkit.Service, http.MethodPatch, path, map[string]any{"userId": test.userID}).OK(t, http.StatusOK).Object(t)
			require.Equal(t, test.userID, member["id"])
			require.NotContains(t, member, "inviteId")
			stored := storedMember(t, app, clinicID, test.userID)
			want := before
			delete(want, "inviteId")
			want["userId"], want["name"], want["updatedTime"] = test.userID, test.want, stored["updatedTime"]
			require.Equal(t, want, stored)
			require.Equal(t, bson.A{adminID, test.userID}, storedAdmins(t, app, clinicID))
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				app.Call(t, testkit.Service, method, path, nil).Fails(t, http.StatusNotFound, "clinician not found")
			}

			testkit.WithoutTransactions(t, "stages a crash after the member was written, and before the clinic was, which are one transaction")
			_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), oid(t, clinicID), bson.M{"$pull": bson.M{"admins": test.userID}})
			require.NoError(t, err)
			app.Call(t, testkit.Service, http.MethodPatch, path, map[string]any{"userId": test.userID}).Fails(t, http.StatusNotFound, "clinician not found")
			require.Equal(t, bson.A{adminID, test.userID}, storedAdmins(t, app, clinicID))
		})
	}
}

func TestAssociateClinicianToUserRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinicID, adminID := app.NewClinic(t)
	path := newInvite(t, app, clinicID, "nurse", "", "CLINIC_MEMBER")
	body := map[string]any{"userId": app.NewUser(t, "Noor Newbie")}
	before := storedMembers(t, app, clinicID)
	app.Call(t, testkit.Service, http.MethodPatch, path, map[string]any{"userId": adminID}).
		Fails(t, http.StatusConflict, "duplicate: clinician is already a member of the clinic")
	app.Call(t, testkit.Service, http.MethodPatch, path, map[string]any{"userId": ""}).Fails(t, http.StatusBadRequest, "bad request: userId must not be empty")
	app.Call(t, testkit.Service, http.MethodPatch, path, nil).Fails(t, http.StatusBadRequest, absentBody)
	for _, wrong := range []map[string]any{{}, {"userId": nil}, {"userId": 5}} {
		app.Call(t, testkit.Service, http.MethodPatch, path, wrong).OK(t, http.StatusBadRequest)
	}
	app.Call(t, testkit.Service, http.MethodPatch, unknownClinic+"/invites/clinicians/nurse/clinician", body).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodPatch, "/v1/clinics/"+legacyClinic(t, app)+"/invites/clinicians/nurse/clinician", body).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
		for _, caller := range []string{adminID, testkit.NewUserID()} {
			app.Call(t, testkit.User(caller), method, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
		}
	}
	app.Standin.Fail("GET /"+body["userId"].(string)+"/profile", standin.Fault{Status: http.StatusInternalServerError})
	app.Call(t, testkit.Service, http.MethodPatch, path, body).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	app.Standin.Heal()
	require.Equal(t, before, storedMembers(t, app, clinicID))
}

func TestAnInviteOfAMemberMovesToAnotherUser(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	first, second := testkit.NewUserID(), testkit.NewUserID()
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
		"id": first, "inviteId": "both", "email": "both@example.com", "roles": []string{"CLINIC_ADMIN"},
	}).OK(t, http.StatusOK)
	require.Equal(t, bson.A{adminID, first}, storedAdmins(t, app, clinicID))
	app.Call(t, testkit.Service, http.MethodPatch, "/v1/clinics/"+clinicID+"/invites/clinicians/both/clinician", map[string]any{"userId": second}).OK(t, http.StatusOK)
	require.Equal(t, bson.A{adminID, second}, storedAdmins(t, app, clinicID))
}

func TestDeleteInvitedClinician(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	path := newInvite(t, app, clinicID, "nurse", "", "CLINIC_ADMIN")
	require.Empty(t, app.Call(t, testkit.Service, http.MethodDelete, path, nil).OK(t, http.StatusOK).Body)
	app.Call(t, testkit.Service, http.MethodDelete, path, nil).Fails(t, http.StatusNotFound, "clinician not found")
	app.Call(t, testkit.Service, http.MethodDelete, unknownClinic+"/invites/clinicians/nurse/clinician", nil).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodGet, unknownClinic+"/invites/clinicians/nurse/clinician", nil).Fails(t, http.StatusNotFound, "clinician not found")
	require.Empty(t, testkit.Documents(t, app.Store, "clinician_deletions", bson.M{"clinician.clinicId": oid(t, clinicID)}))
	require.Equal(t, bson.A{adminID}, storedAdmins(t, app, clinicID))
}

func TestAddServiceAccount(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinicID, adminID := app.NewClinic(t)
	subject := testkit.NewUserID()
	app.Standin.AddClient(standin.Client{ID: "bridge", Secret: "s3cret", Subject: subject})
	path := "/v1/clinics/" + clinicID + "/service_accounts"
	body := map[string]any{"name": "Bridge Bot", "client_id": "bridge", "client_secret": "s3cret"}
	app.Standin.ForgetCalls()
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/service_accounts", body).Fails(t, http.StatusNotFound, "clinic not found")
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+legacyClinic(t, app)+"/service_accounts", body).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")
	require.Zero(t, app.Standin.Count("POST /oidc/token"), "the clinic is checked first")

	member := app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{
		"id": subject, "name": "Bridge Bot", "email": "", "roles": []any{"CLINIC_MEMBER"},
		"createdTime": member["createdTime"], "updatedTime": member["updatedTime"],
	}, member)
	stored := storedMember(t, app, clinicID, subject)
	require.Equal(t, bson.M{
		"_id": stored["_id"], "clinicId": oid(t, clinicID), "userId": subject, "name": "Bridge Bot", "roles": bson.A{"CLINIC_MEMBER"},
		"isServiceAccount": true, "createdTime": stored["createdTime"], "updatedTime": stored["createdTime"],
	}, stored)
	app.Call(t, testkit.Service, http.MethodPost, path, body).Fails(t, http.StatusConflict, "duplicate: clinician is already a member of the clinic")

	wrong := map[string]any{"name": "Bridge Bot", "client_id": "bridge", "client_secret": "wrong"}
	app.Call(t, testkit.Service, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
	app.Call(t, testkit.Service, http.MethodPost, path, nil).Fails(t, http.StatusBadRequest, absentBody)
	for _, caller := range []string{adminID, testkit.NewUserID()} {
		app.Call(t, testkit.User(caller), http.MethodPost, path, body).Fails(t, http.StatusForbidden, notAuthorized)
	}
	app.Call(t, testkit.User(subject), http.MethodGet, "/v1/clinics/"+clinicID+"/clinicians", nil).OK(t, http.StatusOK)
	for _, entry := range app.Log.All() {
		require.NotContains(t, entry.Message+string(jsonOf(t, entry.ContextMap())), "s3cret")
	}
}
