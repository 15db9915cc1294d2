package standin_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// visit is what came back from one request.
type visit struct {
	status int
	header http.Header
	body   string
}

func serve(t *testing.T, options standin.Options) (*standin.Standin, func(line, body string, header ...string) visit) {
	t.Helper()
	stand := standin.New(options)
	server := httptest.NewServer(stand)
	t.Cleanup(server.Close)
	return stand, func(line, body string, header ...string) visit {
		t.Helper()
		method, path, _ := strings.Cut(line, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		read, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return visit{status: response.StatusCode, header: response.Header, body: string(read)}
	}
}

func TestLoginAsksForNameAndSecret(t *testing.T) {
	t.Parallel()
	_, send := serve(t, standin.Options{ServerSecret: "s", GatewaySecret: "g"})
	const name, secret = "x-tidepool-server-name", "x-tidepool-server-secret"
	require.Equal(t, 400, send("POST /serverlogin", "", name, "clinics").status)
	require.Equal(t, 400, send("POST /serverlogin", "", secret, "s").status)
	require.Equal(t, 401, send("POST /serverlogin", "", name, "clinics", secret, "g").status)
	require.Equal(t, 401, send("POST /serverlogin", "", name, "clinic", secret, "s").status)
	require.Equal(t, 401, send("POST /auth/serverlogin", "", name, "clinics", secret, "g").status)
	require.Equal(t, 200, send("POST /auth/serverlogin", "", name, "clinic", secret, "g").status)

	login := send("POST /serverlogin", "", name, "clinics", secret, "s")
	require.Equal(t, 200, login.status)
	own := login.header.Get("x-tidepool-session-token")
	check := send("GET /token/"+own, "", "x-tidepool-session-token", own)
	require.JSONEq(t, `{"userid":"clinics","isserver":true}`, check.body)
}

func TestServerTokenIsRequired(t *testing.T) {
	t.Parallel()
	stand, send := serve(t, standin.Options{ServiceSecret: "between services"})
	stand.AddToken("user", "1", false)
	stand.AddToken("server", "x", true)
	for _, line := range []string{
		"GET /token/user", "GET /user/1", "PUT /user/1", "POST /v1/clinics/1/users", "GET /1/profile",
		"POST /v1/users/1/restricted_tokens", "GET /v1/restricted_tokens/1",
	} {
		require.Equal(t, 401, send(line, "{}").status, line)
		require.Equal(t, 401, send(line, "{}", "x-tidepool-session-token", "user").status, line)
		require.NotEqual(t, 401, send(line, "{}", "x-tidepool-session-token", "server").status, line)
		bySecret := send(line, "{}", "x-tidepool-service-secret", "between services").status
		require.Equal(t, strings.Contains(line, "restricted"), bySecret != 401, line)
	}
	stand.RevokeServerTokens()
	require.Equal(t, 401, send("GET /token/user", "", "x-tidepool-session-token", "server").status)
}

func TestUnknownRequestsAreNoticed(t *testing.T) {
	t.Parallel()
	_, send := serve(t, standin.Options{Development: true})
	for _, line := range []string{
		"GET /", "DELETE /user/1", "GET /user/", "GET /user/1/", "GET /token/a/b", "GET /token/../user/1", "POST /user/1",
		"GET /v1/xealth/report/web/viewer.html",
	} {
		require.Equal(t, 501, send(line, "", "x-tidepool-session-token", "server").status, line)
	}
}

func TestDevelopmentTokens(t *testing.T) {
	t.Parallel()
	_, send := serve(t, standin.Options{Development: true})
	check := func(token string) visit {
		return send("GET /token/"+token, "", "x-tidepool-session-token", "server")
	}
	require.JSONEq(t, `{"userid":"server","isserver":true}`, check("server").body)
	require.JSONEq(t, `{"userid":"1234567890","isserver":false}`, check("u-1234567890").body)
	require.Equal(t, 404, check("u-").status)
	require.Equal(t, 404, check("other").status)
	require.Equal(t, 200, send("PUT /user/123", `{"updates":{"emails":[]}}`, "x-tidepool-session-token", "server").status)
	require.Equal(t, 200, send("POST /oidc/token", "grant_type=client_credentials&client_id=a&scope=openid").status)
}

func TestFaultsEndAfterTheirTimes(t *testing.T) {
	t.Parallel()
	stand, send := serve(t, standin.Options{Development: true})
	stand.Fail("GET /user/", standin.Fault{Status: 503, Times: 2})
	stand.Fail("GET /user/slow", standin.Fault{Delay: 50 * time.Millisecond})
	get := func(id string) int { return send("GET /user/"+id, "", "x-tidepool-session-token", "server").status }
	started := time.Now()
	require.Equal(t, 404, get("slow"))
	require.GreaterOrEqual(t, time.Since(started), 50*time.Millisecond)
	require.Equal(t, []int{503, 503, 404}, []int{get("a"), get("a"), get("a")})
	require.Equal(t, 4, stand.Count("GET /user/"))
	require.Equal(t, 1, stand.Count("GET /user/slow"))
	stand.ForgetCalls()
	require.Zero(t, stand.Count())
}

func TestHangingCallEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	stand := standin.New(standin.Options{})
	stand.Fail("GET /", standin.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	recorder := httptest.NewRecorder()
	stand.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil))
	require.Empty(t, recorder.Body.String())
}

func TestMemorySurvivesARestart(t *testing.T) {
	t.Parallel()
	before, send := serve(t, standin.Options{Development: true})
	created := send("POST /v1/clinics/1/users", `{"username":"a@x.org","emails":["a@x.org"]}`, "x-tidepool-session-token", "server")
	require.Equal(t, 201, created.status)
	before.AddProfile("1", map[string]any{"fullName": "Jo"})
	var saved bytes.Buffer
	require.NoError(t, before.Save(&saved))

	after, send := serve(t, standin.Options{Development: true})
	require.NoError(t, after.Load(&saved))
	user, ok := after.User("A@x.org")
	require.True(t, ok)
	require.Contains(t, created.body, user.UserID)
	require.JSONEq(t, `{"fullName":"Jo"}`, send("GET /1/profile", "", "x-tidepool-session-token", "server").body)
	require.Error(t, after.Load(strings.NewReader("{")))
	_, ok = after.User("a@x.org")
	require.True(t, ok, "what cannot be loaded replaces nothing")
}

func TestReportNeedsAGoodToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 17, 0, 0, 0, 0, time.UTC)
	stand, send := serve(t, standin.Options{Now: func() time.Time { return now }})
	stand.AddRestrictedToken(standin.RestrictedToken{ID: "good", UserID: "1", ExpirationTime: now.Add(time.Second)})
	stand.AddRestrictedToken(standin.RestrictedToken{ID: "old", UserID: "1", ExpirationTime: now})
	stand.AddRestrictedToken(standin.RestrictedToken{ID: "other", UserID: "2", ExpirationTime: now.Add(time.Second)})
	for _, token := range []string{"", "unknown", "old", "other"} {
		require.Equal(t, 401, send("GET /export/report/1?restricted_token="+token, "").status, token)
	}
	report := send("GET /export/report/1?restricted_token=good&fullName=Zo%C3%AB+%28Z%29+%E2%98%83&mrn=7", "")
	require.Equal(t, 200, report.status)
	require.Equal(t, "application/pdf", report.header.Get("Content-Type"))
	require.Equal(t, "*", report.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, report.body, `(Name: Zo\353 \(Z\) ?) Tj`)
	require.Contains(t, report.body, `(MRN: 7) Tj`)
	requirePDF(t, report.body)
}

// requirePDF follows the file's own table to each object, as a reader does.
func requirePDF(t *testing.T, pdf string) {
	t.Helper()
	require.True(t, strings.HasPrefix(pdf, "%PDF-1.4\n"))
	require.True(t, strings.HasSuffix(pdf, "%%EOF\n"))
	found := regexp.MustCompile(`startxref\n(\d+)\n`).FindStringSubmatch(pdf)
	require.NotNil(t, found)
	table, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(pdf[table:], "xref\n0 6\n0000000000 65535 f \n"))
	entries := regexp.MustCompile(`(\d{10}) 00000 n \n`).FindAllStringSubmatch(pdf[table:], -1)
	require.Len(t, entries, 5)
	for i, entry := range entries {
		offset, err := strconv.Atoi(entry[1])
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(pdf[offset:], strconv.Itoa(i+1)+" 0 obj\n"))
	}
	stream := regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n(.*)\nendstream`).FindStringSubmatch(pdf)
	require.NotNil(t, stream)
	require.Equal(t, stream[1], strconv.Itoa(len(stream[2])))
}

func TestViewerIsForwardedToTheService(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Viewer", r.URL.String())
	}))
	t.Cleanup(service.Close)
	address, err := url.Parse(service.URL)
	require.NoError(t, err)
	_, send := serve(t, standin.Options{Service: address})
	answer := send("GET /v1/xealth/report/web/viewer.html?a=b", "")
	require.Equal(t, "/v1/xealth/report/web/viewer.html?a=b", answer.header.Get("X-Viewer"))
}
