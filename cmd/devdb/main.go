package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errUnreachable makes `status` end with 1 without a word more.
var errUnreachable = errors.New("")

func main() {
	s, err := readSettings(os.Args[1:], os.Getenv)
	if errors.Is(err, flag.ErrHelp) || err == nil && s.command == "help" {
		s.usage(os.Stdout)
		return
	}
	if err == nil && !known(s.command) {
		s.usage(os.Stderr)
		os.Exit(2)
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = do(ctx, s, os.Stdout)
		stop()
	}
	if err != nil {
		if text := err.Error(); text != "" {
			say("%s", text)
		}
		os.Exit(1)
	}
}

func known(command string) bool {
	for _, c := range commands {
		if c[0] == command {
			return true
		}
	}
	return false
}

func do(ctx context.Context, s settings, out io.Writer) error {
	switch s.command {
	case "up":
		return s.up(ctx, out)
	case "down":
		return s.down(ctx)
	case "status":
		return s.status(ctx, out)
	case "wipe":
		return s.wipe(ctx)
	case "analyze":
		return s.analyze(ctx)
	case "engine":
		return s.printEngine(ctx, out)
	default: // choice
		e, _, err := s.pick(ctx)
		if err == nil {
			_, err = fmt.Fprintln(out, e.name())
		}
		return err
	}
}

func (s settings) printEngine(ctx context.Context, out io.Writer) error {
	address := s.external
	if address == "" {
		_, p, err := s.pick(ctx)
		if p.port == 0 {
			return err
		}
		address = p.address()
	}
	found, err := identify(ctx, address)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, found.name)
	return err
}

// pick returns the engine to start and its place. With a port, the place is known even if no engine can be had, for which
// there is an error.
func (s settings) pick(ctx context.Context) (engine, place, error) {
	p := place{cache: s.cache, port: s.port, pgPort: s.pgPort}
	e, err := choose(ctx, engines(p), s.engine)
	if err != nil || s.port != 0 {
		return e, p, err
	}
	p.port = defaultPorts[e.name()]
	e, err = choose(ctx, engines(p), e.name())
	return e, p, err
}

func (s settings) up(ctx context.Context, out io.Writer) error {
	if s.external != "" {
		_, err := fmt.Fprintln(out, s.external)
		return err
	}
	p, err := s.ensure(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, p.address())
	return err
}

// ensure makes sure that something can be written to, and returns where.
func (s settings) ensure(ctx context.Context) (place, error) {
	if s.port != 0 { // what answers there needs no engine that this machine can have
		p := place{cache: s.cache, port: s.port}
		if ready, err := s.answers(ctx, p); ready || err != nil {
			return p, err
		}
	}
	e, p, err := s.pick(ctx)
	if err != nil {
		return p, err
	}
	if ready, err := s.answers(ctx, p); ready || err != nil {
		return p, err
	}
	release, err := takeTurn(ctx, s.cache, 15*time.Minute)
	if err != nil {
		return p, err
	}
	defer release()
	// Perhaps somebody else has started it while this one was waiting.
	if ready, err := s.answers(ctx, p); ready || err != nil {
		return p, err
	}
	if err := e.start(ctx); err != nil {
		if ctx.Err() != nil { // nobody would know that it runs
			err = errors.Join(err, e.stop(context.WithoutCancel(ctx)))
		}
		return p, err
	}
	say("%s is ready on %s", e.name(), p.address())
	return p, nil
}

// answers reports whether a database that will do can be written to. It returns an error if another one is there than the one
// that was asked for by name.
func (s settings) answers(ctx context.Context, p place) (bool, error) {
	found, err := identify(ctx, p.address())
	if err != nil || !found.writable {
		return false, nil //nolint:nilerr // nothing answers, or not yet
	}
	if !found.fits(s.engine) {
		return false, fmt.Errorf("what answers on %s is %s, not %s; choose another port with CLINIC_DB_PORT", p.address(), found.name, s.engine)
	}
	return true, nil
}

// places returns where something may run: the named port, or else every port that has a folder in the cache.
func (s settings) places() ([]place, error) {
	if s.port != 0 {
		return []place{{cache: s.cache, port: s.port, pgPort: s.pgPort}}, nil
	}
	if s.engine != "" {
		return []place{{cache: s.cache, port: defaultPorts[s.engine], pgPort: s.pgPort}}, nil
	}
	folders, err := filepath.Glob(filepath.Join(s.cache, "db-*"))
	if err != nil {
		return nil, err
	}
	var found []place
	for _, folder := range folders {
		port, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), "db-"))
		if err == nil {
			found = append(found, place{cache: s.cache, port: port, pgPort: s.pgPort})
		}
	}
	return found, nil
}

func (s settings) down(ctx context.Context) error {
	places, err := s.places()
	if err != nil {
		return err
	}
	release, err := takeTurn(ctx, s.cache, 15*time.Minute)
	if err != nil {
		return err
	}
	defer release()
	for _, p := range places {
		for _, e := range engines(p) {
			if s.engine == "" || s.engine == e.name() {
				err = errors.Join(err, e.stop(ctx))
			}
		}
	}
	return err
}

func (s settings) status(ctx context.Context, out io.Writer) error {
	if s.external != "" {
		_, err := fmt.Fprintf(out, "TIDEPOOL_STORE_ADDRESSES names %s; nothing else is used\n", s.external)
		return err
	}
	_, chosen, err := s.pick(ctx)
	if chosen.port == 0 {
		return err
	}
	places, err := s.places()
	if err != nil {
		return err
	}
	for _, p := range places {
		for _, e := range engines(p) {
			for _, line := range e.running(ctx) {
				_, _ = fmt.Fprintf(out, "%d: %s\n", p.port, line)
			}
		}
	}
	if found, err := identify(ctx, chosen.address()); err != nil || !found.writable || !found.fits(s.engine) {
		_, _ = fmt.Fprintf(out, "nothing of use answers on %s\n", chosen.address())
		return errUnreachable
	}
	_, err = fmt.Fprintf(out, "reachable on %s\n", chosen.address())
	return err
}

// wipe deletes the data of one port. Without a name it is that of the engine that 'up' would take.
func (s settings) wipe(ctx context.Context) error {
	_, p, err := s.pick(ctx)
	if p.port == 0 {
		return err
	}
	release, err := takeTurn(ctx, s.cache, 15*time.Minute)
	if err != nil {
		return err
	}
	defer release()
	for _, e := range engines(p) {
		if s.engine != "" && s.engine != e.name() {
			continue
		}
		if err := e.stop(ctx); err != nil {
			return err
		}
		if err := e.wipe(ctx); err != nil {
			return err
		}
	}
	say("the data of %s is deleted", p.address())
	return nil
}

func (s settings) analyze(ctx context.Context) error {
	_, p, err := s.pick(ctx)
	if p.port == 0 {
		return err
	}
	for _, e := range engines(p) {
		if a, ok := e.(analyzer); ok && (s.engine == "" || s.engine == e.name()) {
			return a.analyze(ctx)
		}
	}
	return nil
}
