package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/config"
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
	require.Len(t, operations, 79)
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

// TestRefusalIsAnsweredWhileTheBodyWaits: a client that asks for leave to send its body gets the refusal at once.
func TestRefusalIsAnsweredWhileTheBodyWaits(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for name, head := range map[string]string{
		"no token":      "POST /v1/clinics HTTP/1.1\r\n",
		"not allowed":   "POST /v1/clinics HTTP/1.1\r\nx-tidepool-session-token: server\r\n",
		"no credential": "POST /v1/redox HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connection := dial(t, app)
			_, err := fmt.Fprintf(connection, "%sHost: clinic\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", head)
			require.NoError(t, err)
			answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			defer func() { _ = answer.Body.Close() }()
			require.GreaterOrEqual(t, answer.StatusCode, http.StatusBadRequest)
			_, err = io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.True(t, answer.Close, "the connection cannot be used further")
		})
	}
}

func TestLargeBodiesAreRefusedByTheirDeclaredSize(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.HTTP.MaxBodySize = 1000 }))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/redox", unreadable{t})
	require.NoError(t, err)
	request.Header.Set("verification-token", testkit.RedoxToken)
	request.Header.Set("Expect", "100-continue") // so that the client waits, and nothing of the body is sent
	request.ContentLength = 2000
	app.Do(t, testkit.Nobody, request).Fails(t, http.StatusRequestEntityTooLarge, "the request body is too large")
}

// unreadable fails the test when a body is read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBodiesOnTheWayAreBounded(t *testing.T) {
	t.Parallel()
	const size = 100_000
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.HTTP.MaxBodySize, c.HTTP.MaxBodiesSize = size, size }))
	slow, release := io.Pipe()
	first := make(chan struct{})
	go func() {
		defer close(first)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/redox", slow)
		if err != nil {
			return
		}
		request.Header.Set("verification-token", testkit.RedoxToken)
		request.ContentLength = size
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	_, err := release.Write([]byte("{")) // the service has taken the first body on
	require.NoError(t, err)

	body := `{"name":"` + strings.Repeat("x", 50_000) + `","preferredBgUnits":"mg/dL"}`
	user := testkit.User(app.NewUser(t, "Ada"))
	require.Eventually(t, func() bool {
		return app.Call(t, user, http.MethodPost, "/v1/clinics", body).Status == http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	app.Call(t, user, http.MethodGet, "/v1/clinicians/"+testkit.NewUserID()+"/clinics", nil).OK(t, http.StatusForbidden)
	require.NoError(t, release.Close())
	<-first
	require.NotEqual(t, http.StatusServiceUnavailable, app.Call(t, user, http.MethodPost, "/v1/clinics", body).Status)
}

func TestHeadTellsWhatGetServesWithoutToken(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, path := range []string{"/live", "/ready", "/metrics", "/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css", "/favicon.ico", "/docs/", "/"} {
		get := app.Call(t, testkit.Nobody, http.MethodGet, path, nil)
		require.Less(t, get.Status, http.StatusBadRequest, path)
		head := app.Call(t, testkit.Nobody, http.MethodHead, path, nil)
		require.Equal(t, get.Status, head.Status, path)
		require.Empty(t, head.Body, path)
		require.Equal(t, get.Header.Get("Content-Type"), head.Header.Get("Content-Type"), path)
	}
	require.Contains(t, string(app.Call(t, testkit.Nobody, http.MethodGet, "/", nil).OK(t, http.StatusOK).Body), "<title>Clinic service")
}

// dial returns a connection on which a test writes its request itself.
func dial(t *testing.T, app *testkit.App) net.Conn {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(app.URL, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(30*time.Second)))
	return connection
}

// TestEveryOperationRefusesALargeBodyBeforeItIsSent: the declared size is enough.
func TestEveryOperationRefusesALargeBodyBeforeItIsSent(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	everyOperation(t, func(t *testing.T, operation api.Operation, path string) {
		limit := int64(16 << 20)
		if operation.MaxBody > 0 {
			limit = operation.MaxBody
		}
		scene := newScene(t, app.Store, operation.Path)
		statuses := []int{}
		for _, caller := range []testkit.Caller{testkit.Service, testkit.User(scene.admin), testkit.User(scene.self), testkit.User(scene.outsider)} {
			connection := dial(t, app)
			_, err := fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: clinic\r\nx-tidepool-session-token: %s\r\nverification-token: %s\r\nAuthorization: Bearer %s\r\n"+
				"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
				operation.Method, scene.path, caller, testkit.RedoxToken, testkit.XealthToken, limit+1)
			require.NoError(t, err)
			answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			statuses = append(statuses, answer.StatusCode)
		}
		require.Contains(t, statuses, http.StatusRequestEntityTooLarge)
		require.Subset(t, []int{http.StatusForbidden, http.StatusRequestEntityTooLarge}, statuses)
	})
}
