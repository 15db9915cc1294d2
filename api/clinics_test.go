package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestCreateClinicAnswersWhatGetClinicAnswers(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	admin := testkit.User(app.NewUser(t, "Ada Admin"))
	created := app.Call(t, admin, http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Harbour", "preferredBgUnits": "mmol/L", "country": "CA", "website": "",
		"phoneNumbers": []any{map[string]any{"number": "1"}, map[string]any{"number": "2", "type": "Office"}},
	}).OK(t, http.StatusOK).Object(t)
	for _, caller := range []testkit.Caller{admin, testkit.Service, testkit.User(testkit.NewUserID())} {
		read := app.Call(t, caller, http.MethodGet, "/v1/clinics/"+created["id"].(string), nil).OK(t, http.StatusOK).Object(t)
		require.Equal(t, created, read)
	}
	app.Call(t, admin, http.MethodGet, "/v1/clinics/0123456789abcdef01234567", nil).Fails(t, http.StatusNotFound, "clinic not found")
	require.Regexp(t, "^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}$", created["shareCode"])
	delete(created, "id")
	delete(created, "shareCode")
	require.Equal(t, created["createdTime"], created["updatedTime"])
	delete(created, "createdTime")
	delete(created, "updatedTime")
	require.Equal(t, map[string]any{
		"name": "Harbour", "preferredBgUnits": "mmol/L", "country": "CA", "website": "",
		"phoneNumbers": []any{map[string]any{"number": "1"}, map[string]any{"number": "2", "type": "Office"}},
		"canMigrate":   false, "tier": "tier0100", "tierDescription": "Free",
	}, created)
}

func TestCreateClinicRefusesAMissingBody(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodPost, "/v1/clinics", nil).
		Fails(t, http.StatusBadRequest, "request body has an error: value is required but missing")
}
