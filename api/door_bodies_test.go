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

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

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
