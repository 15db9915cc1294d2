package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// everyOperation runs the test for every operation, with a path whose ids name nothing.
func everyOperation(t *testing.T, run func(t *testing.T, operation api.Operation, path string)) {
	t.Helper()
	operations := allOperations(t)
	ids := strings.NewReplacer("{clinicId}", bson.NewObjectID().Hex(), "{patientId}", testkit.NewUserID(), "{userId}", testkit.NewUserID(),
		"{clinicianId}", testkit.NewUserID(), "{patientTagId}", bson.NewObjectID().Hex(), "{siteId}", bson.NewObjectID().Hex(),
		"{summaryId}", bson.NewObjectID().Hex(), "{inviteId}", "invite", "{shareCode}", "AAAA-BBBB-CCCC", "{providerId}", "dexcom",
		"{permission}", "view", "{orderId}", bson.NewObjectID().Hex())
	for _, operation := range operations {
		t.Run(operation.ID, func(t *testing.T) {
			t.Parallel()
			run(t, operation, ids.Replace(operation.Path))
		})
	}
}

func allOperations(t *testing.T) []api.Operation {
	t.Helper()
	document, err := api.LoadDocument()
	require.NoError(t, err)
	operations := document.Operations()
	require.Len(t, operations, 82)
	return operations
}

func TestQueryStringsThatCannotBeDecodedAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	everyOperation(t, func(t *testing.T, operation api.Operation, path string) {
		for _, query := range []string{"mrn=100%", "search=a;b", "tags=..;", "x=%zz", "%=1", "search=%ff", "search=a%00b", "mrn=%e2%80"} {
			for _, caller := range []testkit.Caller{testkit.Nobody, testkit.Service} {
				response := app.Do(t, caller, rawRequest(t, app, operation.Method, path+"?"+query))
				require.Equal(t, http.StatusBadRequest, response.Status, query)
				require.Equal(t, "query_malformed", response.Object(t)["reason"], query)
			}
		}
	})
}

func TestPathsThatAreNoTextAreRefused(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, id := range []string{"%ff", "a%00b", "%0d%0a"} {
		response := app.Do(t, testkit.Service, rawRequest(t, app, http.MethodGet, "/v1/clinics/share_code/"+id))
		require.Equal(t, http.StatusBadRequest, response.Status, id)
	}
}

// TestWhatWasCheckedIsWhatIsBound: members in another case are unknown ones, and the last of several of a name counts.
func TestWhatWasCheckedIsWhatIsBound(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	clinic := "/v1/clinics/" + w.clinicID
	w.Call(t, w.admin, http.MethodPut, clinic, `{"name":"Ours","preferredBgUnits":"mg/dL","PreferredBGUnits":"stones","Name":""}`).OK(t, http.StatusOK)
	shown := w.Call(t, w.admin, http.MethodGet, clinic, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "mg/dL", shown["preferredBgUnits"])
	require.Equal(t, "Ours", shown["name"])

	w.Call(t, w.admin, http.MethodPut, clinic, `{"name":"Ours","preferredBgUnits":"mg/dL","preferredBgUnits":"stones"}`).OK(t, http.StatusBadRequest)
	w.Call(t, w.admin, http.MethodPut, clinic, `{"name":"Ours","preferredBgUnits":"stones","preferredBgUnits":"mmol/L"}`).OK(t, http.StatusOK)
	shown = w.Call(t, w.admin, http.MethodGet, clinic, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "mmol/L", shown["preferredBgUnits"])

	member := clinic + "/clinicians/" + w.adminID
	w.Call(t, w.admin, http.MethodPut, member, `{"name":"A","email":"a@example.com","roles":["CLINIC_ADMIN"],"Roles":[]}`).OK(t, http.StatusOK)
	require.Equal(t, []any{"CLINIC_ADMIN"}, w.Call(t, w.admin, http.MethodGet, member, nil).OK(t, http.StatusOK).Object(t)["roles"])
}

func TestAddressesOfSeveralLinesAreAllowed(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	body := map[string]any{"name": "Ours", "preferredBgUnits": "mg/dL", "address": "1 Harbor Street\nSuite 2"}
	w.Call(t, w.admin, http.MethodPut, "/v1/clinics/"+w.clinicID, body).OK(t, http.StatusOK)
	body["name"] = "Ours\nTheirs"
	w.Call(t, w.admin, http.MethodPut, "/v1/clinics/"+w.clinicID, body).OK(t, http.StatusBadRequest)
}

func TestHeadTellsWhatGetServesWithoutToken(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, path := range []string{"/live", "/ready", "/metrics", "/openapi.json", "/docs", "/docs/docs.js", "/docs/docs-schema.js", "/docs/docs-try.js", "/docs/docs.css", "/favicon.ico", "/docs/", "/"} {
		get := app.Call(t, testkit.Nobody, http.MethodGet, path, nil)
		require.Less(t, get.Status, http.StatusBadRequest, path)
		head := app.Call(t, testkit.Nobody, http.MethodHead, path, nil)
		require.Equal(t, get.Status, head.Status, path)
		require.Empty(t, head.Body, path)
		require.Equal(t, get.Header.Get("Content-Type"), head.Header.Get("Content-Type"), path)
	}
	require.Contains(t, string(app.Call(t, testkit.Nobody, http.MethodGet, "/", nil).OK(t, http.StatusOK).Body), "<title>Clinic service")
}
