package app

import (
	"context"
	"os"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/internal/traces"
)

// traceStopLimit bounds how long the end of the process waits for the collector of traces.
const traceStopLimit = 3 * time.Second

// newTracer returns the tracer that the environment asks for. It is stopped last, when all spans have ended. A collector that is
// gone is no reason not to end in order.
func newTracer(lc fx.Lifecycle, log *zap.Logger) (*traces.Tracer, error) {
	tracer, err := traces.New(context.Background(), observe.ThisBuild().Version, os.Getenv)
	if err != nil {
		return nil, err
	}
	if tracer.IsOn() {
		tracer.ReportErrors(func() { log.Warn("traces could not be sent") })
		log.Info("traces are sent")
	}
	lc.Append(fx.Hook{OnStop: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, traceStopLimit)
		defer cancel()
		if err := tracer.Stop(ctx); err != nil {
			log.Warn("the last traces could not be sent")
		}
		return nil
	}})
	return tracer, nil
}
