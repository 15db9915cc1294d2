package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Pinned: another version may want another version of the DocumentDB extension.
const (
	ferretdbVersion = "v2.7.0"
	postgresMajor   = "18"
)

// documentdb is the DocumentDB extension of PostgreSQL, with FerretDB in front.
//
// The extension is packaged in Debian testing only, whose C library is newer than that of other machines. So it gets a small
// Debian system of its own, a folder that PostgreSQL is started in with chroot.
type documentdb struct{ place }

func (d documentdb) name() string { return "documentdb" }
func (d documentdb) about() string {
	return "FerretDB and DocumentDB on PostgreSQL, in a Debian system of its own; on Debian, as root; no transactions"
}

func (d documentdb) postgres() postgres { return postgres(d) }
func (d documentdb) ferretdb() server   { return server{d.place, "ferretdb"} }
func (d documentdb) ferretdbProgram() string {
	return filepath.Join(d.cache, "bin", "ferretdb-"+ferretdbVersion)
}

func (d documentdb) available(context.Context) error {
	if id := osID("/etc/os-release"); id != "debian" {
		return errors.New("needs Debian")
	}
	if os.Geteuid() != 0 {
		return errors.New(`needs root: sudo -E env "PATH=$PATH" scripts/database up`)
	}
	return nil
}

func osID(path string) string {
	content, _ := os.ReadFile(path) //nolint:gosec // says which system this is
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

func (d documentdb) start(ctx context.Context) error {
	if !d.ferretdb().runs() {
		if err := free(ctx, d.port); err != nil {
			return err
		}
	}
	if err := d.setUp(ctx); err != nil {
		return err
	}
	err := d.step("Starting PostgreSQL", func(out io.Writer) error { return d.postgres().start(ctx, out) })
	if err != nil {
		return err
	}
	if !d.ferretdb().runs() {
		if err := d.launchFerretdb(); err != nil {
			return err
		}
	}
	return d.step("Starting FerretDB", func(io.Writer) error {
		return d.ferretdb().wait(ctx, func(ctx context.Context) error { return writable(ctx, d.address()) })
	})
}

// An open cursor may hold one of the pool's connections; the default pool of 50 is little for many tests at once.
func (d documentdb) launchFerretdb() error {
	if err := os.MkdirAll(d.in("ferretdb"), 0o750); err != nil {
		return err
	}
	return d.ferretdb().launch(d.ferretdbProgram(), "--listen-addr="+d.address(), "--no-auth", "--telemetry=disabled", "--debug-addr=-",
		"--state-dir="+d.in("ferretdb"), "--log-level=WARN",
		"--postgresql-url=postgres://postgres@"+d.postgres().address()+"/postgres?sslmode=disable&pool_max_conns=200")
}

// setUp does what is missing. Both parts take a minute and neither needs the other, hence side by side.
func (d documentdb) setUp(ctx context.Context) error {
	haveSystem, haveFerretdb := exists(d.system()), exists(d.ferretdbProgram())
	if haveSystem && haveFerretdb {
		return nil
	}
	say("setting up DocumentDB in %s (once; one to three minutes)", d.cache)
	parts, ctx := errgroup.WithContext(ctx)
	if !haveFerretdb {
		parts.Go(func() error {
			return d.step("Building FerretDB "+ferretdbVersion, func(out io.Writer) error { return d.buildFerretdb(ctx, out) })
		})
	}
	if !haveSystem {
		parts.Go(func() error { return d.makeSystem(ctx) })
	}
	return parts.Wait()
}

// buildFerretdb builds in the cache folder, never through the service's go.mod: a development tool must not add its modules
// to the product. GOFLAGS is set rather than emptied, because an empty one lets the user's own settings (-mod=vendor, say)
// through.
func (d documentdb) buildFerretdb(ctx context.Context, out io.Writer) error {
	building, err := os.MkdirTemp(d.cache, "ferretdb.tmp.")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(building) }() // only what is left over
	err = run(ctx, out, "env", "-u", "GOOS", "-u", "GOARCH", "-C", building,
		"GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0", "GOBIN="+building,
		"go", "install", "github.com/FerretDB/FerretDB/v2/cmd/ferretdb@"+ferretdbVersion)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.ferretdbProgram()), 0o755); err != nil { //nolint:gosec // programs are for everybody
		return err
	}
	return os.Rename(filepath.Join(building, "ferretdb"), d.ferretdbProgram())
}

func (d documentdb) running(context.Context) []string {
	var lines []string
	if d.ferretdb().runs() {
		lines = append(lines, "FerretDB runs; its log is "+d.ferretdb().logFile())
	}
	if d.postgres().runs() {
		lines = append(lines, "PostgreSQL runs on "+d.postgres().address()+"; its log and its data are in "+d.postgres().outside())
	}
	return lines
}

func (d documentdb) stop(ctx context.Context) error {
	if err := d.ferretdb().end(ctx); err != nil {
		return err
	}
	if !d.postgres().runs() {
		return nil
	}
	return d.step("Stopping PostgreSQL", func(out io.Writer) error { return d.postgres().stop(ctx, out) })
}

func (d documentdb) wipe(context.Context) error        { return remove(d.postgres().outside()) }
func (d documentdb) analyze(ctx context.Context) error { return d.postgres().analyze(ctx) }
