package platform_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const (
	userSecret    = "secret-of-user-service"
	gatewaySecret = "secret-of-gateway"
	xealthID      = "xealth/id"
	xealthSecret  = "xealth+secret"
	aUser         = "1234567890"
	aClinic       = "5f85fb2cc0ef4d5c7a9a1b11"
	anEmail       = "ann@x.org"
)

// neighbours are all clients, with one stand-in behind them.
type neighbours struct {
	stand    *standin.Standin
	server   *httptest.Server
	users    *platform.UserService
	profiles *platform.ProfileService
	auth     *platform.AuthService
	openID   *platform.OpenID
	xealth   *platform.Xealth
	seen     *observations
}

// setting adapts the neighbours of one test. The zero value is the ordinary case.
type setting struct {
	callTimeout time.Duration
	basePath    string
	auth        platform.AuthServiceConfig
	stand       standin.Options
	logger      *zap.Logger
	now         func() time.Time
}

// start returns neighbours whose user service client is logged in and whose record of calls is empty.
func start(t *testing.T, s setting) *neighbours {
	t.Helper()
	s.stand.ServerSecret, s.stand.GatewaySecret = userSecret, gatewaySecret
	n := &neighbours{stand: standin.New(s.stand), seen: &observations{}}
	n.server = httptest.NewServer(http.StripPrefix(s.basePath, n.stand))
	t.Cleanup(n.server.Close)
	n.connect(t, s, n.server.URL+s.basePath)
	require.NoError(t, n.users.Start(t.Context()))
	n.stand.ForgetCalls()
	return n
}

func (n *neighbours) connect(t *testing.T, s setting, address string) {
	t.Helper()
	options := platform.Options{CallTimeout: s.callTimeout, Observe: n.seen.observe, Logger: s.logger, Now: s.now}
	var err error
	n.users, err = platform.NewUserService(platform.UserServiceConfig{Address: address, Secret: userSecret}, options)
	require.NoError(t, err)
	t.Cleanup(n.users.Stop)
	n.profiles, err = platform.NewProfileService(address, n.users, options)
	require.NoError(t, err)
	s.auth.Address, s.auth.ExternalAddress, s.auth.ServerSecret = address, address, gatewaySecret
	n.auth, err = platform.NewAuthService(s.auth, options)
	require.NoError(t, err)
	t.Cleanup(n.auth.Stop)
	n.openID, err = platform.NewOpenID(address+"/oidc/token", options)
	require.NoError(t, err)
	n.xealth, err = platform.NewXealth(platform.XealthConfig{
		ClientID: xealthID, ClientSecret: xealthSecret, TokenURL: address + "/oauth2/token", BaseURL: address,
	}, options)
	require.NoError(t, err)
	n.stand.AddClient(standin.Client{ID: xealthID, Secret: xealthSecret})
}

// only returns the one call that arrived.
func (n *neighbours) only(t *testing.T, prefixes ...string) standin.Call {
	t.Helper()
	calls := n.stand.Calls(prefixes...)
	require.Len(t, calls, 1)
	return calls[0]
}

// call is one operation with harmless arguments, and the prefix of the request it makes.
type call struct {
	name   string
	prefix string
	make   func(context.Context, *neighbours) error
}

// calls are all operations. None has an argument that may appear in an error text.
var calls = []call{
	{"check token", "GET /token/", func(ctx context.Context, n *neighbours) error {
		_, err := n.users.CheckToken(ctx, "the-session-token")
		return err
	}},
	{"get user", "GET /user/", func(ctx context.Context, n *neighbours) error {
		_, err := n.users.GetUser(ctx, anEmail)
		return err
	}},
	{"create user", "POST /v1/clinics/", func(ctx context.Context, n *neighbours) error {
		_, err := n.users.CreateCustodialUser(ctx, aClinic, anEmail)
		return err
	}},
	{"update user", "PUT /user/", func(ctx context.Context, n *neighbours) error {
		return n.users.UpdateUser(ctx, aUser, anEmail)
	}},
	{"get profile", "GET /1234567890/profile", func(ctx context.Context, n *neighbours) error {
		_, err := n.profiles.Profile(ctx, aUser)
		return err
	}},
	{"create restricted token", "POST /v1/users/", func(ctx context.Context, n *neighbours) error {
		_, err := n.auth.CreateRestrictedToken(ctx, aUser)
		return err
	}},
	{"get restricted token", "GET /v1/restricted_tokens/", func(ctx context.Context, n *neighbours) error {
		_, err := n.auth.GetRestrictedToken(ctx, "the-restricted-token")
		return err
	}},
	{"service account", "POST /oidc/token", func(ctx context.Context, n *neighbours) error {
		_, err := n.openID.ServiceAccountUserID(ctx, "client-id", "the-client-secret")
		return err
	}},
	{"access token", "POST /oauth2/token", func(ctx context.Context, n *neighbours) error {
		_, err := n.xealth.Order(ctx, "deployment", "order-id")
		return err
	}},
	{"read order", "GET /partner/read/order/", func(ctx context.Context, n *neighbours) error {
		_, err := n.xealth.Order(ctx, "deployment", "order-id")
		return err
	}},
}

// observations collects what the metrics hook is told.
type observations struct {
	mu   sync.Mutex
	seen []string
}

func (o *observations) observe(upstream, operation, status string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, upstream+" | "+operation+" | "+status)
}

func (o *observations) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.seen)
}
