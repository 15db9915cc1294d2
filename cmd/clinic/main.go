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

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/app/operator"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/observe"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case operator.Name:
		os.Exit(operator.Main())
	case shellName:
		os.Exit(sleep(os.Args[1:]))
	}
	if status, ended := arguments(os.Args[1:], os.Stdout, os.Stderr); ended {
		os.Exit(status)
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
	level, err := c.LogLevel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinic:", err)
		return 1
	}
	lines, err := observe.NewLog(level, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinic:", err)
		return 1
	}
	log, build := lines.Logger, observe.ThisBuild()
	log.Info("starting", zap.String("version", build.Version), zap.String("revision", build.Revision), zap.String("go", build.GoVersion))
	for _, warning := range config.Warnings() {
		log.Warn(warning)
	}

	service := fx.New(app.Service(c, log), fx.Supply(lines))
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
