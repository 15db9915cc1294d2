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
	switch arguments := os.Args[1:]; {
	case len(arguments) == 0:
		os.Exit(run())
	case len(arguments) == 2 && arguments[0] == "config" && arguments[1] == "check":
		os.Exit(checkConfig())
	default:
		fmt.Fprintln(os.Stderr, "clinic: usage: clinic [config check]")
		os.Exit(2)
	}
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
	for _, warning := range config.Warnings() {
		log.Warn(warning)
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

// checkConfig prints the settings that are in force, without secrets, and what is wrong with them. It connects to nothing.
func checkConfig() int {
	c, err := config.Load()
	for _, warning := range config.Warnings() {
		fmt.Fprintln(os.Stderr, "clinic: warning:", warning)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinic: bad configuration:", err)
		return 1
	}
	fmt.Print(c.Effective())
	return 0
}

// newLogger returns a logger that writes one JSON object per line to standard error, and drops none.
func newLogger(c config.Config) (*zap.Logger, error) {
	level, err := c.LogLevel()
	if err != nil {
		return nil, err
	}
	settings := zap.NewProductionConfig()
	settings.Level = zap.NewAtomicLevelAt(level)
	settings.Sampling = nil // who looks for a request finds it
	settings.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return settings.Build()
}
