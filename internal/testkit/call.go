package testkit

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// Caller is a session token. The stand-in knows the token of every user without being told.
type Caller string

// Service is a backend service, and Nobody is a caller without a token.
const (
	Service Caller = "server"
	Nobody  Caller = ""
)

// User returns the session token of a user.
func User(id string) Caller { return Caller("u-" + id) }

// Response is the answer to a call.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Call makes a request and returns the answer. A body that is a string is sent as it is, nil is not sent, and anything else
// is encoded as JSON; all are declared to be JSON.
func (a *App) Call(t testing.TB, caller Caller, method, path string, body any) Response {
	t.Helper()
	var reader io.Reader
	switch content := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(content)
	default:
		encoded, err := json.Marshal(content)
		require.NoError(t, err)
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, a.URL+path, reader)
	require.NoError(t, err)
	if reader != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return a.Do(t, caller, request)
}

// Do sends a request that the test built itself.
func (a *App) Do(t testing.TB, caller Caller, request *http.Request) Response {
	t.Helper()
	if caller != Nobody {
		request.Header.Set("x-tidepool-session-token", string(caller))
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	requireListedReason(t, request, answer.StatusCode, content)
	if answer.StatusCode >= http.StatusInternalServerError && a.Log != nil { // a process keeps its own
		for _, entry := range a.Log.FilterField(zap.String("request_id", answer.Header.Get("X-Request-Id"))).All() {
			t.Log(entry.Message, entry.ContextMap()) // shown if the test fails
		}
	}
	return Response{Status: answer.StatusCode, Header: answer.Header, Body: content}
}

// OK asserts the status and returns the response.
func (r Response) OK(t testing.TB, status int) Response {
	t.Helper()
	require.Equal(t, status, r.Status, string(r.Body))
	return r
}

// Fails asserts that the answer is an error with this status and message.
func (r Response) Fails(t testing.TB, status int, message string) {
	t.Helper()
	r.OK(t, status)
	require.Equal(t, message, r.Object(t)["message"])
}

// Object returns the body as a JSON object.
func (r Response) Object(t testing.TB) map[string]any {
	t.Helper()
	object := map[string]any{}
	r.Into(t, &object)
	return object
}

// List returns the body as a JSON array of objects.
func (r Response) List(t testing.TB) []map[string]any {
	t.Helper()
	list := []map[string]any{}
	r.Into(t, &list)
	return list
}

// Into decodes the body.
func (r Response) Into(t testing.TB, value any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.Body, value), string(r.Body))
}
