package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestPathsAreTakenAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id := bson.NewObjectID().Hex()
	for _, path := range []string{
		"/v1", "/v1/", "/V1/clinics", "/v1/clinics/", "/v1//clinics", "//v1/clinics", "/v1/clinics//", "/v1/%63linics",
		"/v1/clinics/" + id + "/", "/v1/clinics//patients", "/v1/clinics/" + id + "/%70atients", "/v1/clinics/share_code/",
		"/v1/clinics/" + id + "/../" + id,
	} {
		response := app.Do(t, testkit.Service, rawRequest(t, app, http.MethodGet, path))
		response.Fails(t, http.StatusNotFound, "no matching operation was found")
	}
}

func TestSlashInsideParameterIsData(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := "/v1/clinics/" + bson.NewObjectID().Hex() + "/invites/clinicians/a%2Fb/clinician"
	response := app.Do(t, testkit.Service, rawRequest(t, app, http.MethodGet, path))
	require.Equal(t, http.StatusForbidden, response.Status)
}

func TestOpenRoutesTellTheirMethods(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for path, allowed := range map[string]string{
		"/v1/redox": "POST", "/v1/redox/verify": "POST", "/v1/xealth/preorder": "POST", "/v1/xealth/program": "PUT", "/ready": "GET",
	} {
		response := app.Call(t, testkit.Nobody, http.MethodDelete, path, nil)
		response.Fails(t, http.StatusMethodNotAllowed, "Method Not Allowed")
		require.Contains(t, response.Header.Get("Allow"), allowed)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	response := app.Call(t, testkit.Service, http.MethodHead, "/v1/clinics", nil)
	require.Equal(t, http.StatusNotFound, response.Status)
	require.Empty(t, response.Body)
	require.Empty(t, response.Header.Get("Content-Type"))
}

func TestErrorsHaveOneShape(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	request := rawRequest(t, app, http.MethodGet, "/v1/nothing")
	request.Header.Set("X-Request-ID", "request-1")
	response := app.Do(t, testkit.Service, request)
	require.Equal(t, "application/json", response.Header.Get("Content-Type"))
	require.Equal(t, "request-1", response.Header.Get("X-Request-ID"))
	require.Equal(t, map[string]any{"message": "no matching operation was found", "code": float64(404), "reason": "operation_unknown", "requestId": "request-1"}, response.Object(t))

	response = app.Call(t, testkit.Service, http.MethodGet, "/v1/nothing", nil)
	require.NotEmpty(t, response.Header.Get("X-Request-ID"), "an id is made when none came")
}

func TestInterfaceDocumentIsServed(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	document := app.Call(t, testkit.Nobody, http.MethodGet, "/openapi.json", nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "3.0.3", document["openapi"])
	for _, path := range []string{"/docs", "/docs/docs.js", "/docs/docs-schema.js", "/docs/docs-try.js", "/docs/docs.css"} {
		page := app.Call(t, testkit.Nobody, http.MethodGet, path, nil).OK(t, http.StatusOK)
		require.NotContains(t, string(page.Body), "https://", "the page must not ask other hosts")
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'self'")
	}
}

func TestProbesAndMetrics(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, path := range []string{"/live", "/ready"} {
		require.Empty(t, app.Call(t, testkit.Nobody, http.MethodGet, path, nil).OK(t, http.StatusOK).Body)
	}
	id := bson.NewObjectID().Hex()
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+id, nil)
	metrics := string(app.Call(t, testkit.Nobody, http.MethodGet, "/metrics", nil).OK(t, http.StatusOK).Body)
	require.Contains(t, metrics, `clinic_http_request_duration_seconds_count{method="GET",route="/v1/clinics/{clinicId}"`)
	require.Contains(t, metrics, `clinic_outbound_duration_seconds_count{operation=`)
	require.Contains(t, metrics, `clinic_database_connections{state="open"}`)
	require.NotContains(t, metrics, id, "metrics must not hold ids")
}

// rawRequest sends a path exactly as it is written.
func rawRequest(t *testing.T, app *testkit.App, method, path string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, app.URL, nil)
	require.NoError(t, err)
	request.URL.Opaque = "//" + strings.TrimPrefix(app.URL, "http://") + path
	return request
}
