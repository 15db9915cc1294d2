package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// engine is one kind of database on one port.
type engine interface {
	name() string
	about() string
	// available returns nil if this machine can have the engine, and otherwise an error that says what is missing.
	available(ctx context.Context) error
	// start sets the engine up if that was never done, starts it, and waits until it can be written to.
	start(ctx context.Context) error
	// running says what runs of it, a line each; nothing if it does not run.
	running(ctx context.Context) []string
	// stop ends what start started, and nothing else.
	stop(ctx context.Context) error
	// wipe deletes the data. The engine has been stopped.
	wipe(ctx context.Context) error
}

// analyzer is an engine whose statistics do not keep up with a bulk load by themselves.
type analyzer interface {
	analyze(ctx context.Context) error
}

// defaultPorts are apart from each other and from MongoDB's own, which may be taken by a database that somebody needs.
var defaultPorts = map[string]int{"mongod": 27218, "docker": 27318, "secantus": 27118, "documentdb": 27018}

// engines returns all engines at a place, in the order in which they are preferred.
func engines(p place) []engine {
	return []engine{mongod{p}, docker{p}, secantus{p}, documentdb{p}}
}

// place is a port, and the folder that belongs to it. One folder per port, so that databases can run side by side out of
// one cache.
type place struct {
	cache  string
	port   int
	pgPort int
}

func (p place) address() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

func (p place) home() string { return filepath.Join(p.cache, fmt.Sprintf("db-%d", p.port)) }

func (p place) in(names ...string) string {
	return filepath.Join(append([]string{p.home()}, names...)...)
}

// choose returns the engine of the given name, or the first that this machine can have.
func choose(ctx context.Context, all []engine, name string) (engine, error) {
	var names, missing []string
	for _, e := range all {
		names = append(names, e.name())
		if name != "" && name != e.name() {
			continue
		}
		err := e.available(ctx)
		if err == nil {
			return e, nil
		}
		missing = append(missing, fmt.Sprintf("  %-11s %v", e.name(), err))
	}
	if name != "" && len(missing) == 0 {
		return nil, fmt.Errorf("there is no engine %s; there are %s", name, strings.Join(names, ", "))
	}
	if name != "" {
		return nil, fmt.Errorf("this machine cannot have %s", strings.TrimSpace(missing[0]))
	}
	return nil, fmt.Errorf("this machine can have none of the databases for development:\n%s\nAny one of them will do. Or start a MongoDB 7 or 8 yourself, and set TIDEPOOL_STORE_ADDRESSES=host:port",
		strings.Join(missing, "\n"))
}
