// Package operator is the operators' command line. It reads the same environment as the service, and works on the same
// database. It must not know HTTP.
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

// loader reads the settings: all of them, or those that are needed to work on the database.
type loader func(all bool) (config.Config, error)

func load(all bool) (config.Config, error) {
	if all {
		return config.Load()
	}
	return config.LoadForDatabase()
}

// Main runs the command that the arguments of the process name and returns the exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], load, os.Stdout, os.Stderr)
}

// run returns the exit status, 0 if the command did its work.
func run(ctx context.Context, args []string, load loader, stdout, stderr io.Writer) int {
	t := &tool{load: load, output: output{results: stdout, progress: stderr, failed: new(error)}}
	root := t.root() //nolint:contextcheck // the commands get it from ExecuteContextC
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if *t.output.failed != nil { // a full disk, or a pipe that nobody reads: results are missing
		t.output.report("Error: the results could not be written: %v", *t.output.failed)
		return statusFailed
	}
	if err == nil {
		return 0
	}
	status := t.status(err)
	t.output.report("Error: %v", err)
	if status == statusUsage {
		t.output.report("%s", command.UsageString())
	}
	t.output.print(failure{Error: err.Error(), Status: status}) // COMPAT: scripts find the error among the results, too
	return status
}

type failure struct {
	Error  string `json:"error"`
	Status int    `json:"status"`
}

func (f failure) line() string { return f.Error }
