package platform_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestCheckToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddToken("user-token", aUser, false)
	n.stand.AddToken("server-token", "jellyfish", true)
	n.stand.AddToken("nobody-token", "", false)
	n.stand.AddToken("odd token%+;?#", aUser, false)
	n.stand.AddToken("%2e%2e", aUser, false)

	tests := map[string]struct {
		path string
		want platform.Session
	}{
		"user-token":     {"/token/user-token", platform.Session{UserID: aUser}},
		"server-token":   {"/token/server-token", platform.Session{UserID: "jellyfish", IsServer: true}},
		"nobody-token":   {"/token/nobody-token", platform.Session{}},
		"unknown":        {"/token/unknown", platform.Session{}},
		"odd token%+;?#": {"/token/odd%20token%25+%3B%3F%23", platform.Session{UserID: aUser}},
		"%2e%2e":         {"/token/%252e%252e", platform.Session{UserID: aUser}},
	}
	for token, test := range tests {
		n.stand.ForgetCalls()
		session, err := n.users.CheckToken(t.Context(), token)
		require.Equal(t, test.want, session)
		call := n.only(t)
		require.Equal(t, "GET "+test.path, call.String())
		require.NotEmpty(t, call.Header.Get("x-tidepool-session-token"))
		if test.want.UserID == "" {
			require.Equal(t, errs.Unauthorized, errs.KindOf(err))
			require.Equal(t, "session token is invalid", errs.Public(err))
			require.NoError(t, errors.Unwrap(err), "the user service did answer")
			continue
		}
		require.NoError(t, err)
	}
}

func TestCheckTokenSendsNoTokenThatNamesAnotherEndpoint(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddUser(standin.User{UserID: aUser})
	for _, token := range []string{
		"../user/1234567890", "a/b", ".", "..", "%2e%2e/x", "/", `..\user\1234567890`, "a\nb", "a\x00b", "\x7f", "\u0085", "",
	} {
		session, err := n.users.CheckToken(t.Context(), token)
		require.Equal(t, platform.Session{}, session)
		require.Equal(t, errs.Unauthorized, errs.KindOf(err), "%q", token)
		require.Equal(t, "session token is invalid", errs.Public(err))
	}
	require.Empty(t, n.stand.Calls())
}

func TestCheckTokenTellsNoFromDontKnow(t *testing.T) {
	t.Parallel()
	for status, hasCause := range map[int]bool{
		http.StatusNotFound: false, http.StatusInternalServerError: true, http.StatusForbidden: true,
	} {
		n := start(t, setting{})
		n.stand.Fail("GET /token/", standin.Fault{Status: status})
		_, err := n.users.CheckToken(t.Context(), "the-session-token")
		require.Equal(t, errs.Unauthorized, errs.KindOf(err))
		require.Equal(t, hasCause, errors.Unwrap(err) != nil, "status %d", status)
		requireDiscreet(t, err)
	}
}

func TestSimultaneousChecksOfOneTokenShareACall(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddToken("t", aUser, false)
	n.stand.Fail("GET /token/", standin.Fault{Delay: 300 * time.Millisecond})

	var all sync.WaitGroup
	sessions := make([]platform.Session, 20)
	for i := range sessions {
		all.Go(func() { sessions[i], _ = n.users.CheckToken(t.Context(), "t") })
	}
	all.Wait()
	for _, session := range sessions {
		require.Equal(t, aUser, session.UserID)
	}
	require.Equal(t, 1, n.stand.Count())

	_, err := n.users.CheckToken(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, 2, n.stand.Count(), "nothing is remembered")
}

func TestRefusedServerTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddUser(standin.User{UserID: aUser})
	n.stand.AddToken("t", aUser, false)
	n.stand.RevokeServerTokens()

	var all sync.WaitGroup
	failures := make([]error, 20)
	for i := range failures {
		all.Go(func() {
			switch i % 4 {
			case 0:
				_, failures[i] = n.users.CheckToken(t.Context(), "t")
			case 1:
				_, failures[i] = n.users.CreateCustodialUser(t.Context(), aClinic, "")
			case 2:
				_, failures[i] = n.profiles.Profile(t.Context(), aUser)
			case 3:
				failures[i] = n.users.UpdateUser(t.Context(), aUser, anEmail)
			}
		})
	}
	all.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, 1, n.stand.Count("POST /serverlogin"))
}

func TestRefusalThatALoginDoesNotCure(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.Fail("GET /", standin.Fault{Status: http.StatusUnauthorized})
	for range 5 {
		_, err := n.users.CheckToken(t.Context(), "t")
		require.Equal(t, errs.Unauthorized, errs.KindOf(err))
	}
	require.Equal(t, 1, n.stand.Count("POST /serverlogin"))
	require.Equal(t, 6, n.stand.Count("GET /token/t"), "the first is repeated with a new token, the rest are believed")

	_, err := n.profiles.Profile(t.Context(), aUser)
	require.ErrorContains(t, err, "profile service: get profile: unexpected status 401")
}

func TestFailedReplacementIsLoggedOnceAndTheOldTokenKept(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	n := start(t, setting{logger: zap.New(core)})
	n.stand.AddToken("t", aUser, false)
	n.stand.Fail("GET /token/", standin.Fault{Status: http.StatusUnauthorized, Times: 1})
	n.stand.Fail("POST /serverlogin", standin.Fault{Status: http.StatusBadGateway})

	_, err := n.users.CheckToken(t.Context(), "t")
	require.Equal(t, errs.Unauthorized, errs.KindOf(err))
	require.Equal(t, 1, logs.Len())
	entry := logs.All()[0]
	require.Equal(t, zapcore.ErrorLevel, entry.Level)
	require.Equal(t, "server login failed", entry.Message)
	require.Equal(t, "user service: server login: unexpected status 502", entry.ContextMap()["error"])

	session, err := n.users.CheckToken(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, aUser, session.UserID)
}
