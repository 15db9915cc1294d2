// Package operator is the operators' command line for the integrations with health records. It reads the same environment
// as the service, and works on the same database. It must not know HTTP.
package operator

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidepool-org/clinic/config"
)

// Name is what the command line is called. The binary of the service is the command line when it is called by this name, so
// that an image needs only one.
const Name = "ehr"

// Main runs the command that the arguments of the process name and returns the exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], config.Load, os.Stdout, os.Stderr)
}

// run returns the exit status: 0 if the command did its work, 1 if not.
func run(ctx context.Context, args []string, load func() (config.Config, error), stdout, stderr io.Writer) int {
	t := &tool{load: load, output: output{results: stdout, progress: stderr}}
	root := t.root() //nolint:contextcheck // the commands get it from ExecuteContextC
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	t.output.report("Error: %v\n%s", err, command.UsageString())
	t.output.print(failure{Error: err.Error()}) // COMPAT: scripts find the error among the results, too
	return 1
}

type failure struct {
	Error string `json:"error"`
}

func (f failure) line() string { return f.Error }
