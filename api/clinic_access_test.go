package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// Only those named may call; a caller who may gets past authorization to an error of the input or an answer.
func TestWhoMayCallTheOperationsOfClinics(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, admin := app.NewClinic(t)
	callers := map[string]testkit.Caller{"service": testkit.Service, "admin": testkit.User(admin), "stranger": testkit.User(testkit.NewUserID())}
	for name, role := range map[string]string{"member": "CLINIC_MEMBER", "prescriber": "PRESCRIBER"} {
		userID := testkit.NewUserID()
		_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), bson.D{
			{Key: "clinicId", Value: hexID(t, id)}, {Key: "userId", Value: userID}, {Key: "roles", Value: bson.A{role}},
		})
		require.NoError(t, err)
		callers[name] = testkit.User(userID)
	}
	users := []string{"admin", "member", "prescriber", "stranger"}
	all := append([]string{"service"}, users...)
	staff := []string{"service", "admin", "member"}
	for _, operation := range []struct {
		method, path, body string
		may                []string
	}{
		{http.MethodGet, "/v1/clinics?limit=0", "", []string{"service"}},
		{http.MethodPost, "/v1/clinics", "{", users},
		{http.MethodGet, "/v1/clinics/share_code/2222-2222-2222", "", all},
		{http.MethodGet, "/v1/clinics/" + id, "", all},
		{http.MethodPut, "/v1/clinics/" + id, "{", []string{"service", "admin"}},
		{http.MethodGet, "/v1/clinics/" + id + "/membership_restrictions", "", []string{"service", "admin"}},
		{http.MethodPut, "/v1/clinics/" + id + "/membership_restrictions", "{", []string{"service"}},
		{http.MethodPost, "/v1/clinics/" + id + "/tier", "{", []string{"service"}},
		{http.MethodPost, "/v1/clinics/" + id + "/suppressed_notifications", "{", []string{"admin"}},
		{http.MethodGet, "/v1/clinics/" + id + "/settings/mrn", "", staff},
		{http.MethodPut, "/v1/clinics/" + id + "/settings/mrn", "{", []string{"service"}},
		{http.MethodGet, "/v1/clinics/" + id + "/settings/ehr", "", staff},
		{http.MethodPut, "/v1/clinics/" + id + "/settings/ehr", "{", []string{"service"}},
		{http.MethodGet, "/v1/clinics/" + id + "/settings/patient_count", "", staff},
		{http.MethodPut, "/v1/clinics/" + id + "/settings/patient_count", "{", []string{"service"}},
		{http.MethodGet, "/v1/clinics/" + id + "/patient_count", "", staff},
		{http.MethodPost, "/v1/clinics/" + id + "/patient_count/refresh", "", []string{"service"}},
		{http.MethodPost, "/v1/clinicians/" + admin + "/migrate", "", []string{"service"}},
		{http.MethodPost, "/v1/clinics/" + id + "/migrate", "{", []string{"admin"}},
		{http.MethodGet, "/v1/clinics/" + id + "/migrations", "", staff},
		{http.MethodPost, "/v1/clinics/" + id + "/migrations", "{", []string{"service"}},
		{http.MethodGet, "/v1/clinics/" + id + "/migrations/" + admin, "", staff},
		{http.MethodPatch, "/v1/clinics/" + id + "/migrations/" + admin, "{", []string{"service"}},
	} {
		for name, caller := range callers {
			var body any
			if operation.body != "" {
				body = operation.body
			}
			response := app.Call(t, caller, operation.method, operation.path, body)
			allowed := response.Status != http.StatusForbidden
			require.Equal(t, slices.Contains(operation.may, name), allowed, "%s %s by %s: %s", operation.method, operation.path, name, response.Body)
		}
		app.Call(t, testkit.Nobody, operation.method, operation.path, nil).Fails(t, http.StatusBadRequest, "session token is missing")
	}
	for _, name := range []string{"member", "prescriber", "stranger"} {
		app.Call(t, callers[name], http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusForbidden)
	}
	app.Call(t, callers["admin"], http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)
}
