package platform_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestAddressesMayHaveABasePath(t *testing.T) {
	t.Parallel()
	n := start(t, setting{basePath: "/base/v2"})
	n.stand.AddUser(standin.User{UserID: aUser, Username: "a/b"})
	user, err := n.users.GetUser(t.Context(), "a/b")
	require.NoError(t, err)
	require.Equal(t, aUser, user.UserID)
	for _, c := range calls {
		_ = c.make(t.Context(), n)
		require.NotZero(t, n.stand.Count(c.prefix), c.name)
	}
}

func TestAddressWithTrailingSlash(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.connect(t, setting{}, n.server.URL+"/")
	require.NoError(t, n.users.Start(t.Context()))
	_, err := n.users.CheckToken(t.Context(), "x")
	require.Error(t, err)
	require.Equal(t, 1, n.stand.Count("GET /token/x"))
}

func TestBadAddressesAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"user:9107", "ftp://hidden", "http://", "http://hidden host", "/hidden", "http://a:hidden@b:port"} {
		_, err := platform.NewUserService(platform.UserServiceConfig{Address: address}, platform.Options{})
		require.EqualError(t, err, "address of the user service is not an http or https URL", address)
	}
	auth, err := platform.NewAuthService(platform.AuthServiceConfig{}, platform.Options{})
	require.NoError(t, err, "set but empty is no reason not to start")
	_, err = auth.GetRestrictedToken(t.Context(), "x")
	require.ErrorContains(t, err, "no address configured")
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	stand := standin.New(standin.Options{})
	stand.AddToken("t", aUser, false)
	server := httptest.NewUnstartedServer(stand)
	var opened atomic.Int32
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	users, err := platform.NewUserService(
		platform.UserServiceConfig{Address: server.URL, Secret: userSecret}, platform.Options{})
	require.NoError(t, err)
	require.NoError(t, users.Start(t.Context()))
	t.Cleanup(users.Stop)
	for range 20 {
		_, err := users.CheckToken(t.Context(), "t")
		require.NoError(t, err)
		_, err = users.GetUser(t.Context(), "unknown")
		require.Error(t, err)
	}
	require.EqualValues(t, 1, opened.Load())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := standin.New(standin.Options{Development: true})
	other := httptest.NewServer(elsewhere)
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	users, err := platform.NewUserService(
		platform.UserServiceConfig{Address: server.URL, Secret: userSecret}, platform.Options{})
	require.NoError(t, err)
	require.EqualError(t, users.Start(t.Context()), "user service: server login: unexpected status 307")
	require.Empty(t, elsewhere.Calls(), "the secret goes nowhere else")
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	stand := standin.New(standin.Options{})
	server := httptest.NewTLSServer(stand)
	t.Cleanup(server.Close)
	users, err := platform.NewUserService(
		platform.UserServiceConfig{Address: server.URL, Secret: userSecret}, platform.Options{})
	require.NoError(t, err)
	require.ErrorContains(t, users.Start(t.Context()), "certificate")
	require.Empty(t, stand.Calls())
}

// A server that accepts connections, but never speaks TLS, stands for all that make connecting slow.
func TestConnectingHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	users, err := platform.NewUserService(
		platform.UserServiceConfig{Address: "https://" + listener.Addr().String(), Secret: userSecret},
		platform.Options{ConnectTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	started := time.Now()
	require.EqualError(t, users.Start(t.Context()), "user service: server login: i/o timeout")
	require.Less(t, time.Since(started), 5*time.Second)
}

func TestExchangesAreObserved(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddUser(standin.User{UserID: aUser})
	for _, c := range calls {
		_ = c.make(t.Context(), n)
	}
	n.stand.Fail("GET /user/", standin.Fault{Cut: true})
	_, _ = n.users.GetUser(t.Context(), aUser)
	require.Equal(t, []string{
		"user | server login | 200",
		"user | check token | 404",
		"user | get user | 404",
		"user | create user | 201",
		"user | update user | 409",
		"profile | get profile | 404",
		"gateway | server login | 200",
		"auth | create restricted token | 201",
		"auth | get restricted token | 404",
		"openid | service account token | 401",
		"openid | service account token | 401",
		"xealth | access token | 200",
		"xealth | read order | 404",
		"xealth | read order | 404",
		"user | get user | error",
	}, n.seen.all())
}
