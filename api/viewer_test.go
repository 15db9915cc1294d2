package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/xealth/viewer"
)

const reportFiles = "/v1/xealth/report/"

// newReport enrolls a patient and returns the address of the report page with the parameters of its query.
func newReport(t *testing.T, app *testkit.App) (xealthClinic, person, url.Values) {
	t.Helper()
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	x.enroll(t, p, nil)
	return x, p, x.reportPage(t, x.about(p)).Query()
}

func (x xealthClinic) openReport(t *testing.T, query url.Values) testkit.Response {
	t.Helper()
	return x.Call(t, testkit.Nobody, http.MethodGet, reportFiles+"web/viewer.html?"+query.Encode(), nil)
}

func withValue(query url.Values, name, value string) url.Values {
	changed := url.Values{name: {value}}
	for other := range query {
		if other != name {
			changed[other] = query[other]
		}
	}
	return changed
}

func TestReportPage(t *testing.T) {
	t.Parallel()
	x, _, query := newReport(t, testkit.Shared(t))
	page := x.openReport(t, query).OK(t, http.StatusOK)
	require.Equal(t, "text/html; charset=UTF-8", page.Header.Get("Content-Type"))
	require.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", page.Header.Get("Referrer-Policy"))
	require.Empty(t, page.Header.Get("X-Frame-Options"))
	policy := page.Header.Get("Content-Security-Policy")
	require.NotContains(t, policy, "frame-ancestors")
	require.NotContains(t, policy, "unsafe")
	require.Contains(t, policy, "connect-src 'self' https://app.example.com;")
	html := string(page.Body)
	require.Contains(t, html, "Loading")
	require.NotContains(t, html, "startDate", "without data there are no dates")
	for _, attribute := range []string{` src="`, ` href="`} {
		for _, part := range strings.Split(html, attribute)[1:] {
			name, _, _ := strings.Cut(strings.SplitN(part, `"`, 2)[0], "?")
			require.NotNil(t, viewer.Find("web/"+name), name)
		}
	}
	require.NotEqual(t, policy, x.openReport(t, query).Header.Get("Content-Security-Policy"), "the nonce is used once")
	requireNotLogged(t, x.App, query.Get("restricted_token"))
}

func TestReportParametersAreRequired(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for query, name := range map[string]string{
		"": "clinicId", "patientId=x&restricted_token=x": "clinicId", "clinicId=": "patientId", "clinicId=x&patientId=": "restricted_token",
	} {
		app.Call(t, testkit.Nobody, http.MethodGet, reportFiles+"web/viewer.html?"+query, nil).
			Fails(t, http.StatusBadRequest, "Invalid format for parameter "+name+": query parameter '"+name+"' is required")
	}
}

func TestReportToken(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x, _, query := newReport(t, app)
	const message = "unauthorized: invalid or expired token"
	for _, token := range []string{"", "unknown", strings.Repeat("a", 32), "../users"} {
		x.openReport(t, withValue(query, "restricted_token", token)).Fails(t, http.StatusUnauthorized, message)
	}
	x.openReport(t, withValue(query, "patientId", testkit.NewUserID())).Fails(t, http.StatusUnauthorized, message)
	// The token is judged before anything is looked up.
	x.openReport(t, url.Values{"clinicId": {"none"}, "patientId": {"none"}, "restricted_token": {"none"}}).Fails(t, http.StatusUnauthorized, message)

	expired := standin.RestrictedToken{
		ID: strings.Repeat("b", 32), UserID: query.Get("patientId"), CreatedTime: time.Now().Add(-2 * time.Hour), ExpirationTime: time.Now().Add(-time.Second),
	}
	app.Standin.AddRestrictedToken(expired)
	x.openReport(t, withValue(query, "restricted_token", expired.ID)).Fails(t, http.StatusUnauthorized, message)

	app.Standin.Fail("GET /v1/restricted_tokens/", standin.Fault{Status: http.StatusInternalServerError})
	x.openReport(t, query).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	app.Standin.Heal()
	app.Standin.Fail("GET /v1/restricted_tokens/", standin.Fault{Body: `{"id":"short","userId":"` + query.Get("patientId") + `"}`})
	x.openReport(t, query).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	requireNotLogged(t, app, query.Get("restricted_token"))
}

func TestReportOfWhom(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x, p, query := newReport(t, app)
	for _, id := range []string{"", "x", bson.NewObjectID().Hex()} {
		x.openReport(t, withValue(query, "clinicId", id)).Fails(t, http.StatusNotFound, "clinic not found")
	}
	other := newXealthClinic(t, app, nil)
	x.openReport(t, withValue(query, "clinicId", other.id)).Fails(t, http.StatusNotFound, "patient not found")

	const message = "unauthorized: patient doesn't have active subscriptions"
	x.configure(t, object{"enabled": false})
	x.openReport(t, query).Fails(t, http.StatusUnauthorized, message)
	x.configure(t, object{"provider": "redox"})
	x.openReport(t, query).OK(t, http.StatusOK)
	clinicID, err := bson.ObjectIDFromHex(x.id)
	require.NoError(t, err)
	_, err = x.Store.Collection("clinics").UpdateByID(t.Context(), clinicID, bson.M{"$unset": bson.M{"ehrSettings": 1}})
	require.NoError(t, err)
	x.openReport(t, query).Fails(t, http.StatusUnauthorized, message)

	x.configure(t, nil)
	for _, field := range []string{"fullName", "mrn", "birthDate"} {
		before := x.stored(t, p)
		_, err = x.Store.Collection("patients").UpdateByID(t.Context(), before["_id"], bson.M{"$unset": bson.M{field: 1}})
		require.NoError(t, err)
		x.openReport(t, query).Fails(t, http.StatusInternalServerError, "Internal Server Error")
		_, err = x.Store.Collection("patients").ReplaceOne(t.Context(), bson.M{"_id": before["_id"]}, before)
		require.NoError(t, err)
	}
	require.NotEmpty(t, app.Log.FilterFieldKey("error").FilterMessage("Server error").All())
	x.openReport(t, query).OK(t, http.StatusOK)
}

func TestReportAddressWithoutAuthService(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x, p, _ := newReport(t, app)
	app.Standin.Fail("POST /v1/users/", standin.Fault{Status: http.StatusInternalServerError})
	x.send(t, http.MethodPut, "program", x.by("user", p)).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	require.Empty(t, testkit.Documents(t, x.Store, "xealth_report_view", bson.M{}))
}

func TestReportViewsAreNoted(t *testing.T) {
	t.Parallel()
	x, p, query := newReport(t, testkit.Shared(t))
	x.send(t, http.MethodPut, "program", x.by("user", p)).OK(t, http.StatusOK)
	// Without a program the view cannot be noted, which keeps nobody from the report.
	x.send(t, http.MethodPut, "program", with(x.by("user", p), "programId", "")).OK(t, http.StatusOK)
	views := testkit.Documents(t, x.Store, "xealth_report_view", bson.M{"deployment": x.deployment})
	require.Len(t, views, 1)
	view := views[0]
	require.IsType(t, bson.ObjectID{}, view["_id"])
	require.WithinDuration(t, time.Now(), view["createdTime"].(bson.DateTime).Time(), time.Minute)
	delete(view, "_id")
	delete(view, "createdTime")
	clinicID, err := bson.ObjectIDFromHex(x.id)
	require.NoError(t, err)
	require.Equal(t, bson.M{
		"userId": "user", "systemLogin": "login-user", "deployment": x.deployment, "patientUserId": query.Get("patientId"),
		"programId": xealthProgram, "clinicId": clinicID,
	}, view)
}

// TestReportProblemIsForPeople: whoever asks for a page gets one, with the same status.
func TestReportProblemIsForPeople(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for query, status := range map[string]int{
		"": http.StatusBadRequest, "?clinicId=a&patientId=b&restricted_token=c": http.StatusUnauthorized,
	} {
		request := rawRequest(t, app, http.MethodGet, reportFiles+"web/viewer.html"+query)
		request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		page := app.Do(t, testkit.Nobody, request).OK(t, status)
		require.Equal(t, "text/html; charset=UTF-8", page.Header.Get("Content-Type"))
		require.Equal(t, "no-store", page.Header.Get("Cache-Control"))
		require.Contains(t, string(page.Body), "open the report again from the patient&#39;s chart")
		require.NotContains(t, string(page.Body), "<script")
	}
}

func TestViewerFiles(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	types := map[string]string{
		"web/viewer.mjs": "text/javascript; charset=utf-8", "build/pdf.mjs": "text/javascript; charset=utf-8", "web/viewer.css": "text/css; charset=utf-8",
		"build/pdf.worker.mjs": "text/javascript; charset=utf-8", "web/standard_fonts/FoxitSymbol.pfb": "application/octet-stream",
	}
	for name, mediaType := range types {
		for _, caller := range []testkit.Caller{testkit.Nobody, "garbage"} {
			answer := app.Call(t, caller, http.MethodGet, reportFiles+name, nil).OK(t, http.StatusOK)
			require.Equal(t, mediaType, answer.Header.Get("Content-Type"))
			require.Equal(t, viewer.Find(name).Content, answer.Body)
			require.NotEmpty(t, answer.Header.Get("Last-Modified"))
		}
	}
	head := app.Call(t, testkit.Nobody, http.MethodHead, reportFiles+"web/viewer.css", nil).OK(t, http.StatusOK)
	require.Empty(t, head.Body)
	for _, path := range []string{
		"", "web", "web/", "web/nothing", "build/", "web/viewer.html.tmpl", "web/page.html", "page.html", "web/../../page.html", "web/%2e%2e/%2e%2e/viewer.go",
		"../../../etc/passwd", "web/viewer.css/", "web/viewer.html/x",
	} {
		app.Do(t, testkit.Nobody, rawRequest(t, app, http.MethodGet, reportFiles+path)).Fails(t, http.StatusNotFound, "Not Found")
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		for _, path := range []string{"web/viewer.css", "web/viewer.html"} {
			app.Call(t, testkit.Nobody, method, reportFiles+path, nil).Fails(t, http.StatusNotFound, "Not Found")
		}
	}
	app.Call(t, testkit.Nobody, http.MethodHead, reportFiles+"web/viewer.html?clinicId=a", nil).OK(t, http.StatusNotFound)
	app.Call(t, testkit.Nobody, http.MethodGet, strings.TrimSuffix(reportFiles, "/"), nil).Fails(t, http.StatusBadRequest, "session token is missing")
}

func TestViewerFilesAreCached(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	get := func(path string, headers ...string) *http.Response {
		request := rawRequest(t, app, http.MethodGet, reportFiles+path)
		request.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	const name = "build/pdf.mjs"
	plainFile := get(name)
	require.Equal(t, "no-cache", plainFile.Header.Get("Cache-Control"))
	require.Equal(t, "public, max-age=31536000, immutable", get(name+"?v="+viewer.Version()).Header.Get("Cache-Control"))
	require.Equal(t, "no-cache", get(name+"?v=older").Header.Get("Cache-Control"))
	require.Equal(t, http.StatusNotModified, get(name, "If-None-Match", plainFile.Header.Get("ETag")).StatusCode)
	require.Equal(t, http.StatusNotModified, get(name, "If-Modified-Since", plainFile.Header.Get("Last-Modified")).StatusCode)
	part := get(name, "Range", "bytes=2-5")
	require.Equal(t, http.StatusPartialContent, part.StatusCode)
	require.EqualValues(t, 4, part.ContentLength)

	small := get(name, "Accept-Encoding", "br, gzip;q=0.5")
	require.Equal(t, "gzip", small.Header.Get("Content-Encoding"))
	require.NotEqual(t, plainFile.Header.Get("ETag"), small.Header.Get("ETag"))
	require.Less(t, small.ContentLength, plainFile.ContentLength/2)
	unpacked, err := gzip.NewReader(small.Body)
	require.NoError(t, err)
	content, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.True(t, bytes.Equal(viewer.Find(name).Content, content))
	require.Empty(t, get(name, "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding"))
}
