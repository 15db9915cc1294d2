package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/store"
)

// Local is the server on the second address, for operators.
type Local struct{ address string }

// Address returns where it listens; "" if it does not.
func (l *Local) Address() string { return l.address }

type localParams struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Config     config.Local
	Server     *Local
	Leases     *store.Leases
	Indexes    *store.IndexBuilder
	Health     *api.Health
	Background *observe.Background
	Levels     *observe.Log `optional:"true"`
	Log        *zap.Logger
}

// startLocal serves the second address, if there is one. It opens before the service listens and closes after it, so that a
// start or a stop that takes long can be looked into.
func startLocal(p localParams) {
	if p.Config.Address == "" {
		return
	}
	state := func() observe.State {
		return observe.State{Ready: p.Health.IsReady(), Leases: p.Leases.Held(), Building: p.Indexes.Building()}.Complete(p.Background, p.Levels)
	}
	server := &http.Server{Handler: observe.LocalHandler(state, p.Levels), ReadHeaderTimeout: 10 * time.Second, ErrorLog: zap.NewStdLog(p.Log)}
	p.Lifecycle.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			var lc net.ListenConfig
			listener, err := lc.Listen(ctx, "tcp", p.Config.Address)
			if err != nil {
				return err
			}
			p.Server.address = listener.Addr().String()
			p.Log.Info("listening for operators", zap.String("address", p.Server.address))
			go func() {
				if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					p.Log.Error("the address for operators is closed", zap.Error(err))
				}
			}()
			return nil
		},
		OnStop: func(context.Context) error { return server.Close() },
	})
}
