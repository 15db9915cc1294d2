package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// secantusVersion is named in full because it is a pre-release, which pip takes only by name.
const secantusVersion = "0.7.0b3"

// secantus is SecantusDB: MongoDB's wire protocol, with transactions and change streams, over WiredTiger. It is a Python
// package, which gets an environment of its own in the cache.
type secantus struct{ place }

func (s secantus) name() string { return "secantus" }
func (s secantus) about() string {
	return "SecantusDB " + secantusVersion + ", with Python 3.10 to 3.13; transactions, change events; no root"
}

func (s secantus) server() server   { return server{s.place, "secantus"} }
func (s secantus) folder() string   { return filepath.Join(s.cache, "secantus-"+secantusVersion) }
func (s secantus) complete() string { return filepath.Join(s.folder(), "complete") }
func (s secantus) python() string   { return filepath.Join(s.folder(), "bin", "python3") }
func (s secantus) config() string   { return s.in("secantusd.toml") }
func (s secantus) interpreter(ctx context.Context) string {
	return firstPython(pythons, func(name string) string {
		version, _ := ask(ctx, name, "-c", "import sys; print('%d.%d' % sys.version_info[:2])") // not there: no version
		return version
	})
}

func (s secantus) available(ctx context.Context) error {
	if runtime.GOOS == "windows" {
		return errors.New("runs on Linux and macOS")
	}
	if !exists(s.complete()) && s.interpreter(ctx) == "" {
		return errors.New("needs Python 3.10 to 3.13 on the PATH, as python3")
	}
	return nil
}

// pythons are tried in this order. Wheels exist for these only.
var pythons = []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"}

func firstPython(names []string, version func(string) string) string {
	for _, name := range names {
		switch version(name) {
		case "3.10", "3.11", "3.12", "3.13":
			return name
		}
	}
	return ""
}

func (s secantus) start(ctx context.Context) error {
	if s.server().runs() {
		return s.wait(ctx)
	}
	if err := free(ctx, s.port); err != nil {
		return err
	}
	if !exists(s.complete()) {
		if err := s.setUp(ctx); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(s.in("secantus"), 0o750); err != nil {
		return err
	}
	// Otherwise it would take settings from wherever it finds some.
	if err := os.WriteFile(s.config(), nil, 0o600); err != nil {
		return err
	}
	err := s.server().launch(s.python(), filepath.Join(s.folder(), "bin", "secantusd-py"), "--config", s.config(), "--host", "127.0.0.1",
		"--port", strconv.Itoa(s.port), "--storage-path", s.in("secantus"), "--cache-size", "512M", "--log-level", "WARNING")
	if err != nil {
		return err
	}
	return s.wait(ctx)
}

func (s secantus) wait(ctx context.Context) error {
	return s.step("Starting SecantusDB", func(io.Writer) error {
		return s.server().wait(ctx, func(ctx context.Context) error { return writable(ctx, s.address()) })
	})
}

// setUp makes the environment. A file says that it is complete: what a killed start leaves behind is made anew.
func (s secantus) setUp(ctx context.Context) error {
	say("setting up SecantusDB in %s (once; about 20 seconds)", s.folder())
	if err := remove(s.folder()); err != nil {
		return err
	}
	err := s.step("Making a Python environment", func(out io.Writer) error {
		return makeVenv(ctx, out, s.interpreter(ctx), s.folder())
	})
	if err != nil {
		return err
	}
	err = s.step("Installing SecantusDB "+secantusVersion, func(out io.Writer) error {
		return run(ctx, out, s.python(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
			"--only-binary", ":all:", "SecantusDB=="+secantusVersion)
	})
	if err != nil {
		return err
	}
	return os.WriteFile(s.complete(), nil, 0o600)
}

// makeVenv makes a Python environment. Debian keeps pip for that in a package of its own, which only root can install.
func makeVenv(ctx context.Context, out io.Writer, python, folder string) error {
	err := run(ctx, out, python, "-m", "venv", folder)
	if err == nil || !has("apt-get") {
		return err
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w; on Debian, install the package python3-venv", err)
	}
	if err := aptInstall(ctx, out, "python3-venv"); err != nil {
		return err
	}
	return run(ctx, out, python, "-m", "venv", "--clear", folder)
}

func (s secantus) running(context.Context) []string {
	if !s.server().runs() {
		return nil
	}
	return []string{"SecantusDB runs; its log is " + s.server().logFile() + ", its data is in " + s.in("secantus")}
}

func (s secantus) stop(ctx context.Context) error { return s.server().end(ctx) }
func (s secantus) wipe(context.Context) error     { return remove(s.in("secantus")) }
