package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestMadeUpMethodsAreOneInMetrics(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	for i := range 50 {
		app.Do(t, testkit.Nobody, rawRequest(t, app, fmt.Sprintf("MADEUP%d", i), "/v1/clinics"))
	}
	metrics := string(app.Call(t, testkit.Nobody, http.MethodGet, "/metrics", nil).OK(t, http.StatusOK).Body)
	require.NotContains(t, metrics, "MADEUP")
	require.Contains(t, metrics, `clinic_http_request_duration_seconds_count{method="other",route="unknown",status="400"} 50`)
}

func TestWhatCallersChooseIsCutInTheLog(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	long := strings.Repeat("x", 100_000)
	request := rawRequest(t, app, http.MethodGet, "/v1/"+long+"?limit="+long)
	request.Header.Set("User-Agent", long)
	request.Header.Set("X-Request-ID", long)
	request.Header.Set("X-Forwarded-For", long)
	app.Do(t, testkit.Service, request)
	for _, entry := range app.Log.All() {
		for name, value := range entry.ContextMap() {
			require.Less(t, len(fmt.Sprint(value)), 1000, name)
		}
	}
}

func TestForwardedAddressesAreBelievedOnlyFromProxies(t *testing.T) {
	t.Parallel()
	for proxies, want := range map[string]string{"": "127.0.0.1", "10.0.0.0/8": "127.0.0.1", "127.0.0.0/8": "192.0.2.7"} {
		app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
			if proxies != "" {
				c.HTTP.TrustedProxies = []string{proxies}
			}
		}))
		request := rawRequest(t, app, http.MethodGet, "/v1/clinics")
		request.Header.Set("X-Forwarded-For", "203.0.113.9, 192.0.2.7")
		request.Header.Set("X-Real-IP", "203.0.113.9")
		app.Do(t, testkit.Nobody, request)
		require.Eventually(t, func() bool { return app.Log.FilterMessage("Client error").Len() == 1 }, 10*time.Second, time.Millisecond)
		require.Equal(t, want, app.Log.FilterMessage("Client error").All()[0].ContextMap()["remote_ip"], proxies)
	}
}

// TestWhatGivesAccessIsMaskedInEveryPath holds it also for routes that other services own, which end here with 404.
func TestWhatGivesAccessIsMaskedInEveryPath(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinic := bson.NewObjectID().Hex()
	for _, path := range []string{
		"/v1/clinics/" + clinic + "/invites/clinicians/SecretInvite", "/v1/clinics/" + clinic + "/invites/clinicians/SecretInvite/clinician",
		"/v1/clinics/" + clinic + "/invites/clinicians/5ec2e75ec2e75ec2e75ec2e7/clinician", "/v1/clinicians/1234567890/invites/5ec2e70000",
		"/v1/clinics/share_code/SECR-ETCO-DE22", "/v1/restricted_tokens/SecretToken", "/token/SecretToken", "/auth/confirm/SecretToken",
		"/v1/clinics/" + clinic + "/patients/ann@Secret.example.com", "/SecretToken",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			app.Do(t, testkit.Service, rawRequest(t, app, method, path))
		}
	}
	seen := false
	for _, entry := range app.Log.All() {
		line := fmt.Sprint(entry.ContextMap())
		require.NotContains(t, line, "Secret")
		require.NotContains(t, line, "SECR")
		require.NotContains(t, line, "5ec2e7")
		seen = seen || strings.Contains(line, "/v1/clinics/"+clinic+"/invites/clinicians/***")
	}
	require.True(t, seen, "the rest of the path stays readable")
}

// TestWhoStopsReadingIsCutOff: a caller who takes nothing of a long answer does not hold it for ever.
func TestWhoStopsReadingIsCutOff(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.HTTP.WriteTimeout = 200 * time.Millisecond }))
	w := newWard(t, app)
	for range 200 {
		w.setPatient(t, w.add(t, nil)["id"], bson.M{"$set": bson.M{"fullName": strings.Repeat("n", 80_000)}})
	}
	connection := dial(t, app)
	_, err := fmt.Fprintf(connection, "GET %s?limit=1000 HTTP/1.1\r\nHost: clinic\r\nx-tidepool-session-token: server\r\n\r\n", w.patients())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return app.Log.FilterMessage("Cut off").Len()+app.Log.FilterMessage("Server error").Len() > 0
	}, 30*time.Second, 10*time.Millisecond)
}

func TestSortOrderThatIsWrongIsExplained(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.Call(t, w.admin, http.MethodGet, w.patients()+"?sort=fullName", nil).Fails(t, http.StatusBadRequest,
		`parameter "sort" in query has an error: a sort order is a sign and a field, such as +fullName or -lastUploadDate; a plus sign is sent as %2B`)
}

func TestOnlyPeopleReviewAndRemind(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	w := newWard(t, app)
	insertMember(t, app.Store, w.id(t), "server", "CLINIC_ADMIN")
	patient := w.add(t, nil)["id"]
	for _, call := range [][2]string{{http.MethodPut, "reviews"}, {http.MethodDelete, "reviews"}, {http.MethodPost, "upload_reminder"}} {
		w.Call(t, testkit.Service, call[0], w.patient(patient, call[1]), nil).Fails(t, http.StatusBadRequest, "expected user access token")
	}
}

func TestAddressesOfUsersAreAddresses(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := "/v1/users/" + testkit.NewUserID() + "/clinics"
	for _, wrong := range []string{"ann@localhost", "Ann <ann@example.com>", "<ann@example.com>", "ann@example.com ", " ann@example.com", "ann@[192.0.2.1]", "ann", "a@b@example.com", "ann@example..com"} {
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"email": wrong}).
			Fails(t, http.StatusBadRequest, "bad request: email is not an e-mail address")
	}
	for _, right := range []string{"ann@example.com", "ann+clinic@mail.example.co.uk", "Zoë@exämple.com", "o'neil@example.com"} {
		app.Call(t, testkit.Service, http.MethodPost, path, map[string]any{"email": right}).OK(t, http.StatusOK)
	}
}

func TestTimeZonesAreThoseOfToday(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	update := func(zone string) testkit.Response {
		return w.Call(t, w.admin, http.MethodPut, "/v1/clinics/"+w.clinicID, map[string]any{"name": "Ours", "preferredBgUnits": "mg/dL", "timezone": zone})
	}
	for _, known := range []string{"Europe/Kyiv", "America/Ciudad_Juarez", "America/Adak"} {
		require.Equal(t, known, update(known).OK(t, http.StatusOK).Object(t)["timezone"])
	}
	for _, unknown := range []string{"Mars/Olympus", "Local", "../UTC", "europe/kyiv", "America"} {
		update(unknown).OK(t, http.StatusBadRequest)
	}
}

func TestBlanksAroundNumbersMakeNoDifference(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	w.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+w.clinicID+"/settings/mrn", map[string]any{"required": true, "unique": true}).OK(t, http.StatusOK)
	for _, blank := range []string{" ", "\u00a0", "\u200b", "\ufeff \u2060", "\u3000"} {
		w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Ann", "birthDate": "2001-02-03", "mrn": blank}).
			Fails(t, http.StatusBadRequest, "bad request: mrn is required")
	}
	patient := w.add(t, map[string]any{"mrn": " 123\u200b"})
	require.Equal(t, "123", patient["mrn"])
	w.Call(t, w.admin, http.MethodPost, w.patients(), map[string]any{"fullName": "Bob", "birthDate": "2001-02-03", "mrn": "\u00a0123 "}).
		Fails(t, http.StatusBadRequest, "bad request: mrn must be unique")
	found := w.Call(t, w.admin, http.MethodGet, "/v1/patients?mrn=%20123%E2%80%8B&birthDate=2001-02-03", nil).OK(t, http.StatusOK).List(t)
	require.Len(t, found, 1)
}
