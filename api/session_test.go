package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestTokensOfBackendServicesAreRemembered(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	path := "/v1/clinics/" + bson.NewObjectID().Hex() + "/clinicians"
	for range 3 {
		app.Call(t, testkit.Service, http.MethodGet, path, nil)
		app.Call(t, testkit.User("1234567890"), http.MethodGet, path, nil)
		app.Call(t, "unknown", http.MethodGet, path, nil)
	}
	require.Equal(t, 1, app.Standin.Count("GET /token/server"))
	require.Equal(t, 3, app.Standin.Count("GET /token/u-1234567890"), "a log-out takes effect at once")
	require.Equal(t, 3, app.Standin.Count("GET /token/unknown"), "failures are not remembered")
}

// TestTokenIsNeverPathSyntax: in the reference service such a token reaches other endpoints of the user service.
func TestTokenIsNeverPathSyntax(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	app.Standin.AddUser(standin.User{UserID: "1234567890"})
	app.Standin.ForgetCalls()
	for _, token := range []testkit.Caller{"../user/1234567890", "a/b", "..", ".", `a\b`, "%2e%2e/user/1234567890", "%2e%2e%2fuser%2f1234567890"} {
		app.Call(t, token, http.MethodGet, "/v1/patients", nil).Fails(t, http.StatusUnauthorized, "session token is invalid")
	}
	require.Zero(t, app.Standin.Count("GET /user/"))
}

func TestUserServiceDownMeansUnauthorizedAndALogLine(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	app.Standin.Fail("GET /token/", standin.Fault{Status: http.StatusInternalServerError})
	app.Call(t, testkit.User("1234567890"), http.MethodGet, "/v1/patients", nil).Fails(t, http.StatusUnauthorized, "session token is invalid")
	require.NotZero(t, app.Log.FilterMessage("a session token could not be checked").Len())
}

func TestLogHoldsNoTokensAndNoPatientData(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinic := "/v1/clinics/" + bson.NewObjectID().Hex()
	app.Call(t, testkit.User("5ec2e70000"), http.MethodGet, clinic+"/patients?search=Secretname&limit=2", nil)
	app.Call(t, testkit.Service, http.MethodGet, clinic+"/patients?search=Secretname&limit=2", nil)
	app.Call(t, testkit.Service, http.MethodGet, "/v1/patients?mrn=Secretmrn&birthDate=1987-06-05", nil)
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/share_code/SECR-ETCO-DE22", nil)
	app.Call(t, testkit.Nobody, http.MethodGet, "/v1/xealth/report/web/viewer.html?clinicId=a&patientId=b&restricted_token=Secrettoken", nil)
	app.Call(t, testkit.Service, http.MethodPost, clinic+"/patients", `{"fullName":"Secretname","birthDate":"1987-06-05","email":7}`)

	entries := app.Log.All()
	require.NotEmpty(t, entries)
	for _, entry := range entries {
		for name, value := range entry.ContextMap() {
			text, ok := value.(string)
			if !ok {
				continue
			}
			for _, secret := range []string{"Secret", "SECR", "u-5ec2e70000", "1987", testkit.RedoxToken, "server-secret"} {
				require.NotContains(t, text, secret, "field %s of %q", name, entry.Message)
			}
		}
	}
	access := app.Log.FilterMessage("Client error").All()
	require.NotEmpty(t, access)
	for _, name := range []string{"remote_ip", "latency", "host", "request", "status", "size", "user_agent", "request_id", "error"} {
		require.Contains(t, access[0].ContextMap(), name)
	}
}
