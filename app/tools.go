package app

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/store"
)

// Tools returns the graph for a command that works on the database and ends. Starting it connects to the database; it makes
// no indexes, and logs in nowhere.
func Tools(c config.Config, log *zap.Logger) fx.Option {
	return fx.Options(
		settings(c, log),
		Domain(),
		neighbours(),
		measures(),
		fx.Invoke(func(lc fx.Lifecycle, c config.Store, d *store.Database) {
			lc.Append(fx.Hook{
				OnStart: func(ctx context.Context) error { return d.Connect(ctx, c.RequireTransactions) },
				OnStop:  d.Close,
			})
		}),
	)
}
