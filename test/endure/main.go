package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// settings are what the command line says.
type settings struct {
	store    string
	service  string
	duration time.Duration
	requests int
	rate     int
	callers  int
	phase    time.Duration
	probe    time.Duration
	drain    string
	lenient  bool
	only     string
}

const (
	// gateway is when a caller's gateway gives up.
	gateway = 15 * time.Second
	// latest is what an answer may take: what the gateway waits, and a second for a machine that has other work.
	latest = gateway + time.Second
	// settle bounds how long numbers may be off after everything is well again: a note that a killed process left counts as
	// left behind after a minute, and a clinic that could not be counted is tried again after longer and longer pauses.
	settle = 4 * time.Minute
)

// scenario is what happens to a world. It judges on its way; an error means that it could not be played.
type scenario struct {
	play  func(context.Context, *world) error
	wired bool // whether the database is reached through a proxy that can break
}

var scenarios = map[string]scenario{"soak": {play: soak}, "restart": {play: restart}, "chaos": {play: chaos, wired: true}}

// run makes a world, and plays the scenario in it.
func (s scenario) run(ctx context.Context, with settings) (*verdict, error) {
	w, err := newWorld(ctx, with, s.wired)
	if err != nil {
		return nil, err
	}
	defer w.close()
	return &w.verdict, s.play(ctx, w)
}

func main() {
	var s settings
	flag.StringVar(&s.store, "store", "127.0.0.1:27018", "the database, as host:port")
	flag.StringVar(&s.service, "service", "bin/clinic", "the built service")
	flag.DurationVar(&s.duration, "for", 15*time.Minute, "how long to soak")
	flag.IntVar(&s.requests, "n", 10_000, "how many requests to send at least while replicas restart")
	flag.IntVar(&s.rate, "rate", 120, "how many requests a second to send at most")
	flag.IntVar(&s.callers, "callers", 24, "how many callers there are at a time")
	flag.DurationVar(&s.phase, "phase", 15*time.Second, "how long each kind of chaos lasts")
	flag.DurationVar(&s.probe, "probe", 2*time.Second, "how often the balancer looks at /ready; twice negative means out")
	flag.StringVar(&s.drain, "drain", "", "TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY of the replicas; empty means the default")
	flag.BoolVar(&s.lenient, "lenient", false, "on a busy machine: judge what was lost, not what was late")
	flag.StringVar(&s.only, "only", "", "only chaos whose name contains this, between two calms")
	flag.Parse()
	chosen, known := scenarios[flag.Arg(0)]
	if !known || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "endure: name one of soak, restart, chaos, after the flags")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	begun := time.Now()
	v, err := chosen.run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "endure:", err)
		os.Exit(1)
	}
	fmt.Printf("\n%s: %s (%s, %d processors)\n", flag.Arg(0), v, time.Since(begun).Round(time.Second), runtime.NumCPU())
	if !v.good() {
		os.Exit(1)
	}
}
