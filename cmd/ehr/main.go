// Command ehr is the operators' command line for the integrations with health records. It reads the same environment as
// the service, and works on the same database.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidepool-org/clinic/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], config.Load, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
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
