package platform_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const tokenID = "abcdefghijklmnopqrstuvwxyz012345"

func TestCreateRestrictedToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{auth: platform.AuthServiceConfig{UserAgent: "clinic/1"}})
	token, err := n.auth.CreateRestrictedToken(t.Context(), aUser)
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-z]{32}$", token.ID)
	require.Equal(t, aUser, token.UserID)
	require.WithinDuration(t, time.Now().Add(time.Hour), token.ExpirationTime, time.Minute)

	login := n.only(t, "POST /auth/serverlogin")
	require.Equal(t, "clinic", login.Header.Get("X-Tidepool-Server-Name"))
	require.Equal(t, gatewaySecret, login.Header.Get("X-Tidepool-Server-Secret"))
	require.Empty(t, login.Body)

	call := n.only(t, "POST /v1/")
	require.Equal(t, "POST /v1/users/1234567890/restricted_tokens", call.String())
	require.Equal(t, "{}", call.Body)
	require.Equal(t, "application/json; charset=utf-8", call.Header.Get("Content-Type"))
	require.Equal(t, "clinic/1", call.Header.Get("User-Agent"))
	require.NotEmpty(t, call.Header.Get("X-Tidepool-Session-Token"))
	require.Empty(t, call.Header.Values("X-Tidepool-Service-Secret"))
}

func TestServiceSecretReplacesTheServerToken(t *testing.T) {
	t.Parallel()
	const secret = "secret-of-services"
	n := start(t, setting{
		auth:  platform.AuthServiceConfig{ServiceSecret: secret},
		stand: standin.Options{ServiceSecret: secret},
	})
	n.auth.Start()
	_, err := n.auth.CreateRestrictedToken(t.Context(), aUser)
	require.NoError(t, err)
	call := n.only(t)
	require.Equal(t, secret, call.Header.Get("X-Tidepool-Service-Secret"))
	require.Empty(t, call.Header.Values("X-Tidepool-Session-Token"))
	require.Equal(t, "Go-http-client/1.1", call.Header.Get("User-Agent"))
}

func TestGetRestrictedToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	want := standin.RestrictedToken{
		ID: tokenID, UserID: aUser, Paths: []string{"/v1/x"},
		CreatedTime: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), ExpirationTime: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	n.stand.AddRestrictedToken(want)
	token, err := n.auth.GetRestrictedToken(t.Context(), tokenID)
	require.NoError(t, err)
	require.Equal(t, platform.RestrictedToken(want), token, "dates are not judged here")
	require.Equal(t, "GET /v1/restricted_tokens/"+tokenID, n.only(t, "GET").String())

	n.stand.ForgetCalls()
	_, err = n.auth.GetRestrictedToken(t.Context(), "a/../b c")
	require.Equal(t, errs.Unauthorized, errs.KindOf(err))
	require.Equal(t, "unauthorized: invalid or expired token", errs.Public(err))
	require.Equal(t, "GET /v1/restricted_tokens/a%2F..%2Fb%20c", n.only(t, "GET").String())
}

func TestGetRestrictedTokenAnswers(t *testing.T) {
	t.Parallel()
	const times = `"expirationTime":"2030-01-01T00:00:00Z","createdTime":"2020-01-01T00:00:00Z"`
	const good = `"id":"` + tokenID + `","userId":"` + aUser + `",`
	tests := map[string]struct {
		status int
		body   string
		kind   errs.Kind
	}{
		"unknown member":     {200, `{` + good + times + `,"more":1,"modifiedTime":null}`, ""},
		"user id as UUID":    {200, `{"id":"` + tokenID + `","userId":"12345678-1234-1234-1234-123456789012",` + times + `}`, ""},
		"404":                {404, ``, errs.Unauthorized},
		"404 of the service": {404, `{"code":"resource-not-found","title":"","detail":""}`, errs.Unauthorized},
		"404 of a gateway":   {404, `{"code":"no-route"}`, errs.Internal},
		"404 page":           {404, `not found`, errs.Internal},
		"401":                {401, ``, errs.Internal},
		"201":                {201, `{` + good + times + `}`, errs.Internal},
		"204":                {204, ``, errs.Internal},
		"short id":           {200, `{"id":"abc","userId":"` + aUser + `",` + times + `}`, errs.Internal},
		"odd user id":        {200, `{"id":"` + tokenID + `","userId":"Jill",` + times + `}`, errs.Internal},
		"no times":           {200, `{` + good + `"paths":[]}`, errs.Internal},
		"odd time":           {200, `{` + good + `"expirationTime":"Jill","createdTime":"2020-01-01T00:00:00Z"}`, errs.Internal},
		"empty object":       {200, `{}`, errs.Internal},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{})
			n.stand.Fail("GET /v1/restricted_tokens/", standin.Fault{Status: test.status, Body: test.body})
			_, err := n.auth.GetRestrictedToken(t.Context(), tokenID)
			require.Equal(t, test.kind, errs.KindOf(err))
			if err != nil {
				requireDiscreet(t, err)
			}
		})
	}
}

func TestCreateRestrictedTokenRefusesEmptySuccess(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	for _, fault := range []standin.Fault{
		{Status: http.StatusNoContent}, {Status: http.StatusCreated, Body: "{}"}, {Status: http.StatusNotFound},
	} {
		n.stand.Fail("POST /v1/users/", fault)
		token, err := n.auth.CreateRestrictedToken(t.Context(), aUser)
		require.Equal(t, errs.BlandText, errs.Public(err))
		require.Empty(t, token.ID)
	}
}

func TestAuthServiceReplacesItsRefusedToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	_, err := n.auth.CreateRestrictedToken(t.Context(), aUser)
	require.NoError(t, err)
	n.stand.RevokeServerTokens()
	n.stand.ForgetCalls()
	_, err = n.auth.CreateRestrictedToken(t.Context(), aUser)
	require.NoError(t, err)
	require.Equal(t, 1, n.stand.Count("POST /auth/serverlogin"))
	require.Equal(t, 2, n.stand.Count("POST /v1/users/"))
}

func TestAuthServiceStartsWithoutItsGateway(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.Fail("POST /auth/serverlogin", standin.Fault{Status: http.StatusBadGateway, Times: 1})
	n.auth.Start()
	require.Eventually(t, func() bool { return n.stand.Count("POST /auth/serverlogin") == 2 }, 10*time.Second, 10*time.Millisecond,
		"the failed login is repeated in the background")
	_, err := n.auth.CreateRestrictedToken(t.Context(), aUser)
	require.NoError(t, err)
}
