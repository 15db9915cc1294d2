package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

func say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "database: "+format+"\n", args...)
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9.]+`)

// step does something with its output in a log file, says how long it took, and on failure shows the end of that log.
// Setting up takes a while, and a newcomer should see that something happens.
func (p place) step(what string, do func(out io.Writer) error) error {
	if err := os.MkdirAll(p.in("log"), 0o750); err != nil {
		return err
	}
	path := p.in("log", notInNames.ReplaceAllString(what, "-")+".log")
	log, err := os.Create(path) //nolint:gosec // in the cache
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // a log for people
	started := time.Now()
	say("%s ...", what)
	if err := do(log); err != nil {
		return fmt.Errorf("%s: %w (after %s); its output is in %s\n%s", what, err, since(started), path, tail(path))
	}
	say("%s: %s", what, since(started))
	return nil
}

func since(start time.Time) time.Duration { return time.Since(start).Round(100 * time.Millisecond) }

// run runs a command with its output in out.
func run(ctx context.Context, out io.Writer, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program's own choice
	command.Stdout, command.Stderr = out, out
	_, _ = fmt.Fprintln(out, "$", program, args)
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return nil
}

func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
