// Command clinic is the service: it reads its settings from the environment and runs until it is told to stop. Called by the
// name ehr, it is the operators' command line; by the name sh, the little of a shell that deployments need.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/app/operator"
	"github.com/tidepool-org/clinic/config"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case operator.Name:
		os.Exit(operator.Main())
	case shellName:
		os.Exit(sleep(os.Args[1:]))
	}
	os.Exit(run())
}

// run returns the exit status: 0 after an orderly stop, 1 if the service could not start, broke, or had to cut requests off.
func run() int {
	c, err := config.Load()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinic: bad configuration:", err)
		return 1
	}
	log, err := newLogger(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinic:", err)
		return 1
	}
	defer func() { _ = log.Sync() }() // standard error cannot be synced everywhere

	service := fx.New(app.Service(c, log))
	if err := service.Err(); err != nil {
		log.Error("the service could not be put together", zap.Error(err))
		return 1
	}
	start, cancel := context.WithTimeout(context.Background(), app.StartTimeout)
	defer cancel()
	if err := service.Start(start); err != nil {
		log.Error("the service could not start", zap.Error(err))
		return 1
	}
	signal := <-service.Wait()
	log.Info("stopping", zap.Stringer("signal", signal.Signal))
	// The time for requests in flight begins when the listener closes.
	stop, cancel := context.WithTimeout(context.Background(), app.WholeStop(c.HTTP))
	defer cancel()
	if err := service.Stop(stop); err != nil {
		log.Error("the service did not stop in order", zap.Error(err))
		return 1
	}
	return signal.ExitCode
}

// newLogger returns a logger that writes one JSON object per line to standard error.
func newLogger(c config.Config) (*zap.Logger, error) {
	level, err := c.LogLevel()
	if err != nil {
		return nil, err
	}
	settings := zap.NewProductionConfig()
	settings.Level = zap.NewAtomicLevelAt(level)
	settings.EncoderConfig.EncodeTime = zapcore.EpochTimeEncoder
	return settings.Build()
}
