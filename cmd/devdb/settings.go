package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
)

// settings are what the environment and the command line say.
type settings struct {
	command  string
	cache    string // absolute: where everything is kept, outside of any checkout
	external string // a database that is used as it is; "" if there is none
	engine   string // "" leaves the choice to the program
	port     int    // 0 means the engine's own
	pgPort   int    // 0 means port + 1000; only for PostgreSQL behind FerretDB
}

// commands and what they do, in the order in which they are explained.
var commands = [][2]string{
	{"up", "make sure that a database is reachable, print its host:port"},
	{"down", "stop what 'up' started, on every port unless one is named; the data stays"},
	{"status", "say what is running, and where its data and logs are; exit status 0 if it can be reached"},
	{"wipe", "stop the database and delete its data"},
	{"analyze", "bring the statistics up to date by which queries are planned; needed before timing anything after a bulk load"},
	{"choice", "print the engine that 'up' would start"},
	{"engine", "print the engine that answers: mongod, secantus or documentdb"},
}

// readSettings reads the command line over the environment.
func readSettings(args []string, env func(string) string) (settings, error) {
	s := settings{external: env("TIDEPOOL_STORE_ADDRESSES"), engine: env("CLINIC_DB_ENGINE"), cache: env("CLINIC_CACHE")}
	var err error
	if s.port, err = readPort(env, "CLINIC_DB_PORT"); err != nil {
		return s, err
	}
	if s.pgPort, err = readPort(env, "CLINIC_DB_PG_PORT"); err != nil {
		return s, err
	}
	flags := flag.NewFlagSet("devdb", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.engine, "engine", s.engine, "")
	flags.IntVar(&s.port, "port", s.port, "")
	// The command may stand before the options or after them.
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return s, err
		}
		if args = flags.Args(); len(args) > 0 {
			if s.command != "" {
				return s, fmt.Errorf("one command at a time, not %s and %s", s.command, args[0])
			}
			s.command, args = args[0], args[1:]
		}
	}
	if s.cache == "" {
		if s.cache, err = defaultCache(env); err != nil {
			return s, err
		}
	}
	s.cache, err = filepath.Abs(s.cache)
	return s, err
}

func readPort(env func(string) string, name string) (int, error) {
	value := env(name)
	if value == "" {
		return 0, nil
	}
	port, err := strconv.Atoi(value)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s=%s is not a port", name, value)
	}
	return port, nil
}

func defaultCache(env func(string) string) (string, error) {
	if base := env("XDG_CACHE_HOME"); base != "" {
		return filepath.Join(base, "clinic-dev"), nil
	}
	home := env("HOME")
	if home == "" {
		return "", errors.New("neither CLINIC_CACHE nor HOME says where to keep the database")
	}
	return filepath.Join(home, ".cache", "clinic-dev"), nil
}

func (s settings) usage(w io.Writer) {
	_, _ = fmt.Fprint(w, "Usage: scripts/database COMMAND [--engine NAME] [--port PORT]\n\n")
	for _, command := range commands {
		_, _ = fmt.Fprintf(w, "  %-8s%s\n", command[0], command[1])
	}
	_, _ = fmt.Fprint(w, `
What 'up' takes, the first that applies:
  1. TIDEPOOL_STORE_ADDRESSES, if set: that database, as it is
  2. whatever already speaks MongoDB's protocol on the port
  3. the first engine that this machine can have

Engines, in that order:
`)
	for _, e := range engines(place{cache: s.cache}) {
		_, _ = fmt.Fprintf(w, "  %-11s port %d  %s\n", e.name(), defaultPorts[e.name()], e.about())
	}
	_, _ = fmt.Fprintf(w, `
  CLINIC_DB_ENGINE or --engine   skips the choice
  CLINIC_DB_PORT or --port       instead of the engine's own port, so that several may run side by side
  CLINIC_CACHE                   where everything is kept, now %s
`, s.cache)
}
