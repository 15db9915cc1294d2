package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// postgres is the PostgreSQL behind FerretDB; nobody else needs its port.
type postgres struct{ place }

func (p postgres) number() int {
	if p.pgPort != 0 {
		return p.pgPort
	}
	return p.port + 1000
}

func (p postgres) address() string { return fmt.Sprintf("127.0.0.1:%d", p.number()) }

// inside is where PostgreSQL keeps its things as it sees them itself, which is from inside the Debian system.
func (p postgres) inside(names ...string) string {
	return filepath.Join(append([]string{fmt.Sprintf("/var/lib/clinic-db-%d", p.port)}, names...)...)
}

func (p postgres) outside(names ...string) string {
	return filepath.Join(p.system(), p.inside(names...))
}

// within runs a command in the Debian system, as its user postgres (PostgreSQL refuses to run as root).
func (p postgres) within(ctx context.Context, out io.Writer, command ...string) error {
	user, group, err := p.user()
	if err != nil {
		return err
	}
	args := []string{
		fmt.Sprintf("--userspec=%d:%d", user, group), fmt.Sprintf("--groups=%d", group), p.system(),
		"env", "-i", "PATH=/usr/lib/postgresql/" + postgresMajor + "/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
	}
	return run(ctx, out, "chroot", append(args, command...)...)
}

func (p postgres) user() (int, int, error) {
	content, err := os.ReadFile(filepath.Join(p.system(), "etc/passwd"))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(line, ":")
		if fields[0] == "postgres" && len(fields) > 3 {
			user, err := strconv.Atoi(fields[2])
			group, err2 := strconv.Atoi(fields[3])
			return user, group, errors.Join(err, err2)
		}
	}
	return 0, 0, errors.New("the Debian system has no user postgres")
}

func (p postgres) start(ctx context.Context, out io.Writer) error {
	if !exists(p.outside("data")) {
		if err := p.create(ctx, out); err != nil {
			return err
		}
	}
	if err := p.writeSettings(); err != nil {
		return err
	}
	if !p.runs() {
		if err := p.forgetKilled(ctx); err != nil {
			return err
		}
		if err := free(ctx, p.number()); err != nil {
			return err
		}
		if err := p.control(ctx, out, "-l", p.inside("log"), "start"); err != nil {
			return fmt.Errorf("%w\n%s", err, tail(p.outside("log")))
		}
	}
	return p.sql(ctx, out, "create extension if not exists documentdb cascade", "create extension if not exists documentdb_extended_rum")
}

func (p postgres) control(ctx context.Context, out io.Writer, args ...string) error {
	return p.within(ctx, out, append([]string{"pg_ctl", "-D", p.inside("data"), "-w", "-t", "30"}, args...)...)
}

// stop waits for connections to end. One that is caught in a damaged index never does, and is killed: this is a database for
// development, which recovers at the next start.
func (p postgres) stop(ctx context.Context, out io.Writer) error {
	if p.control(ctx, out, "-m", "fast", "stop") == nil {
		return nil
	}
	return p.control(ctx, out, "-m", "immediate", "stop")
}

func (p postgres) sql(ctx context.Context, out io.Writer, statements ...string) error {
	args := p.psql()
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	return p.within(ctx, out, args...)
}

func (p postgres) psql() []string {
	return []string{"psql", "-qX", "-h", "127.0.0.1", "-p", strconv.Itoa(p.number()), "-U", "postgres", "-d", "postgres", "-v", "ON_ERROR_STOP=1"}
}

// create makes the database. Everybody who can log on to this machine can use it, without a password. For development that
// will do, and it is true of the MongoDB port just the same.
func (p postgres) create(ctx context.Context, out io.Writer) error {
	if err := remove(p.outside()); err != nil {
		return err
	}
	user, group, err := p.user()
	if err != nil {
		return err
	}
	if err := os.Mkdir(p.outside(), 0o700); err != nil {
		return err
	}
	if err := os.Chown(p.outside(), user, group); err != nil {
		return err
	}
	err = p.within(ctx, out, "initdb", "-D", p.inside("making"), "-U", "postgres", "-A", "trust", "--no-sync",
		"--locale-provider=builtin", "--locale=C.UTF-8", "-E", "UTF8")
	if err != nil {
		return err
	}
	return os.Rename(p.outside("making"), p.outside("data"))
}

//go:embed postgres.conf
var postgresSettings string

// writeSettings is done at every start, so that a change of the settings reaches databases that exist already.
func (p postgres) writeSettings() error {
	const include = "include 'clinic.conf'\n"
	main := p.outside("data", "postgresql.conf")
	content, err := os.ReadFile(main) //nolint:gosec // in the cache
	if err != nil {
		return err
	}
	if !bytes.Contains(content, []byte(include)) {
		if err := os.WriteFile(main, append(content, include...), 0o600); err != nil { //nolint:gosec // in the cache
			return err
		}
	}
	settings := strings.ReplaceAll(postgresSettings, "PORT", strconv.Itoa(p.number()))
	return os.WriteFile(p.outside("data", "clinic.conf"), []byte(settings), 0o644) //nolint:gosec // PostgreSQL's user reads it
}

// runs does not ask `pg_ctl status`: that takes any living process for the server, if only it has the id that a killed
// server left behind, and a dead one too that nobody has waited for.
func (p postgres) runs() bool {
	content, err := os.ReadFile(p.outside("data", "postmaster.pid"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	return err == nil && strings.Contains(commandOf(pid), "postgres") && strings.Contains(commandOf(pid), p.inside())
}

// forgetKilled deletes what a killed server leaves behind, which may keep the next one from starting. That may be done only
// when the last child has ended as well, or two servers would write to the same files.
func (p postgres) forgetKilled(ctx context.Context) error {
	if !until(ctx, 30*time.Second, func() bool { return !somebodyWorksIn(p.outside("data")) }) {
		return fmt.Errorf("what is left of a killed PostgreSQL still works in %s", p.outside("data"))
	}
	err := os.Remove(p.outside("data", "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func somebodyWorksIn(folder string) bool {
	wanted, err := os.Stat(folder)
	if err != nil {
		return false
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
	for _, link := range links {
		if found, err := os.Stat(link); err == nil && os.SameFile(found, wanted) {
			return true
		}
	}
	return false
}

// analyze also serves a PostgreSQL that somebody else has started on the port, if there is a psql.
func (p postgres) analyze(ctx context.Context) error {
	if p.runs() {
		return p.sql(ctx, os.Stderr, "analyze")
	}
	args := append(p.psql(), "-c", "analyze")
	if err := exec.CommandContext(ctx, args[0], args[1:]...).Run(); err != nil { //nolint:gosec // see psql
		say("no PostgreSQL answers on %s; nothing was done", p.address())
	}
	return nil
}
