package api_test

import (
	"net/http"
	"testing"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestFirstFailingStepDecidesTheAnswer(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	user := testkit.User(testkit.NewUserID())
	path := "/v1/clinics/NOT-HEX/patients?limit=x"

	app.Call(t, testkit.Nobody, http.MethodPost, path, "{").Fails(t, http.StatusBadRequest, "session token is missing")
	app.Call(t, "nonsense", http.MethodPost, path, "{").Fails(t, http.StatusUnauthorized, "session token is invalid")
	app.Call(t, user, http.MethodPatch, path, "{").Fails(t, http.StatusNotFound, "method not allowed")
	app.Call(t, user, http.MethodGet, "/v1/nothing", nil).Fails(t, http.StatusNotFound, "no matching operation was found")
	app.Call(t, user, http.MethodPost, path, "{").Fails(t, http.StatusForbidden,
		"security requirements failed: the subject is not authorized for the requested action")
	app.Call(t, testkit.Service, http.MethodPost, path, "{").Fails(t, http.StatusBadRequest,
		`parameter "clinicId" in path has an error: string doesn't match the regular expression "^[a-f0-9]{24}$"`)
}
