package app

import (
	"context"
	"fmt"
	"net/url"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/traces"
)

// neighbours returns the clients of the services around.
func neighbours() fx.Option {
	return fx.Provide(
		func(c config.Platform, face *api.Metrics, metrics *observe.Metrics, tracer *traces.Tracer, log *zap.Logger) platform.Options {
			return platform.Options{
				ConnectTimeout: c.ConnectTimeout, CallTimeout: c.CallTimeout, Observe: face.ObserveOutbound,
				LoginFailed: metrics.LoginFailed, Tracer: tracer, Logger: log,
			}
		},
		func(c config.Platform, o platform.Options) (*platform.UserService, error) {
			return platform.NewUserService(platform.UserServiceConfig{Address: c.UserServiceAddress, Secret: string(c.ServerSecret)}, o)
		},
		func(c config.Platform, users *platform.UserService, o platform.Options) (*platform.ProfileService, error) {
			return platform.NewProfileService(c.ProfileServiceAddress, users, o)
		},
		func(c config.Platform, o platform.Options) (*platform.AuthService, error) {
			return platform.NewAuthService(platform.AuthServiceConfig{
				Address: c.AuthServiceAddress, ExternalAddress: c.AuthExternalAddress,
				ServerSecret: string(c.AuthExternalSecret), RefreshInterval: c.AuthExternalRefresh,
				ServiceSecret: string(c.AuthServiceSecret), UserAgent: c.UserAgent,
			}, o)
		},
		func(c config.Platform, o platform.Options) (*platform.OpenID, error) {
			return platform.NewOpenID(c.TokenEndpoint, o)
		},
		func(c config.Xealth, o platform.Options) (*platform.Xealth, error) {
			return platform.NewXealth(platform.XealthConfig{
				ClientID: c.ClientID, ClientSecret: string(c.ClientSecret), TokenURL: c.TokenURL, BaseURL: c.BaseURL,
			}, o)
		},
	)
}

// startNeighbours logs in. The user service is needed for every request, so its login must succeed; that at the auth
// service goes on in the background.
func startNeighbours(lc fx.Lifecycle, c config.Platform, users *platform.UserService, auth *platform.AuthService) {
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			login, cancel := context.WithTimeout(ctx, neighbourTime)
			defer cancel()
			if err := users.Start(login); err != nil {
				return fmt.Errorf("no login at %s: %w", withoutUser(c.UserServiceAddress), err)
			}
			auth.Start() //nolint:contextcheck // the refresh outlives the start
			return nil
		},
		OnStop: func(context.Context) error {
			users.Stop()
			auth.Stop()
			return nil
		},
	})
}

// withoutUser returns an address without the user and password that may stand in it.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that is not valid"
	}
	u.User = nil
	return u.String()
}
