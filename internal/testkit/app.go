package testkit

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/store"
)

// App is the whole service in process, with its neighbours played by a stand-in.
type App struct {
	URL     string // without a slash at the end
	Store   *store.Database
	Standin *standin.Standin
	Log     *observer.ObservedLogs // everything that was logged, at every level
}

// Option changes how an App is started.
type Option func(*setup)

type setup struct {
	config config.Config
	graph  []fx.Option
}

// Configure changes the settings of the service.
func Configure(change func(*config.Config)) Option {
	return func(s *setup) { change(&s.config) }
}

// Populate takes values out of the graph of the service, as fx.Populate does.
func Populate(targets ...any) Option {
	return func(s *setup) { s.graph = append(s.graph, fx.Populate(targets...)) }
}

// With adds to the graph of the service.
func With(options ...fx.Option) Option {
	return func(s *setup) { s.graph = append(s.graph, options...) }
}

// Start starts a service with a database and a stand-in of its own, for tests that break something or count calls. It is
// stopped after the test.
func Start(t testing.TB, options ...Option) *App {
	t.Helper()
	d := Database(t)
	app, stop, err := start(d.Name(), d, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	return app
}

var shared struct {
	once sync.Once
	app  *App
	err  error
}

// Shared returns a service that all tests of the package share. Tests must use clinics and users of their own, and must not
// make neighbours fail.
func Shared(t testing.TB) *App {
	t.Helper()
	shared.once.Do(func() {
		d := open(t, sharedName())
		if shared.err = d.Drop(context.Background()); shared.err != nil {
			return
		}
		if shared.err = d.EnsureIndexes(context.Background(), app.Indexes()...); shared.err == nil {
			shared.app, _, shared.err = start(d.Name(), d)
		}
	})
	require.NoError(t, shared.err)
	return shared.app
}

func start(database string, d *store.Database, options ...Option) (*App, func() error, error) {
	neighbours := standin.New(standin.Options{Development: true})
	host := httptest.NewServer(neighbours)
	s := setup{config: Config(host.URL, database)}
	for _, option := range options {
		option(&s)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	var server *api.Server
	graph := fx.New(append(s.graph, app.Service(s.config, zap.New(core)), fx.Decorate(brief), fx.Populate(&server))...)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := graph.Start(ctx); err != nil {
		host.Close()
		return nil, nil, err
	}
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), app.WholeStop(s.config.HTTP))
		defer cancel()
		defer host.Close()
		return graph.Stop(ctx)
	}
	return &App{URL: "http://" + server.Address(), Store: d, Standin: neighbours, Log: logs}, stop, nil
}

// brief lets answers that go on end soon, because tests that call every operation wait for the end.
func brief(s *feed.Service) *feed.Service {
	s.Lifetime = time.Second
	return s
}

// Secrets of the service under test, which must not reach a log.
const (
	RedoxToken  = "redox-verification-secret"
	XealthToken = "xealth-bearer-secret"
)

// Config returns settings of a service whose neighbours are all at one address.
func Config(neighbours, database string) config.Config {
	c := standin.Settings(neighbours, "xealth-client", "https://app.example.com")
	c.HTTP = config.HTTP{Address: "127.0.0.1:0", MaxBodySize: 16 << 20, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: time.Minute}
	c.Store = Store(database)
	c.Platform.ServerSecret, c.Platform.AuthExternalSecret, c.Platform.AuthExternalRefresh = "server-secret", "gateway-secret", time.Hour
	c.Platform.ConnectTimeout, c.Platform.CallTimeout = time.Second, 2*time.Second
	c.Redox.VerificationToken = RedoxToken
	c.Xealth.BearerToken, c.Xealth.ClientSecret = XealthToken, "xealth-secret"
	return c
}
