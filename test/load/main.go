package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/store"
)

// settings are what the command line says.
type settings struct {
	patients int
	callers  int
	rounds   int
	slice    time.Duration
	store    string
	service  string
	analyze  string
	results  string
	only     string

	reference string // the binary of the reference service, "" for none
	merge     bool
	compare   string
	record    string
}

func main() {
	var s settings
	flag.IntVar(&s.patients, "n", 20_000, "how many patients the clinic has")
	flag.IntVar(&s.callers, "callers", 8, "how many callers there are at a time")
	flag.IntVar(&s.rounds, "rounds", 8, "how often service and driver take turns")
	flag.DurationVar(&s.slice, "slice", 400*time.Millisecond, "how long a turn is")
	flag.StringVar(&s.store, "store", "127.0.0.1:27018", "the database, as host:port")
	flag.StringVar(&s.service, "service", "bin/clinic", "the built service")
	flag.StringVar(&s.analyze, "analyze", "", "a command that brings the statistics of the database up to date, run after seeding")
	flag.StringVar(&s.results, "results", "", "where to keep the results, as JSON; empty for nowhere")
	flag.StringVar(&s.only, "only", "", "measure only operations whose name contains this")
	flag.StringVar(&s.reference, "reference", "", "the binary of the reference service, to be measured as well; it gets the same environment and neighbours")
	flag.BoolVar(&s.merge, "merge", false, "measure also the merge of two clinics of n/2 patients each, which are made anew for each side")
	flag.StringVar(&s.compare, "compare", "", "a file of recorded ratios: say what moved by more than a third")
	flag.StringVar(&s.record, "record", "", "a file of recorded ratios: keep those of this run in it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // so that the service ends with it
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		defer os.Exit(1) // after stop
	}
}

func run(ctx context.Context, s settings) error {
	d, err := store.Open(config.Store{Addresses: s.store, Database: fmt.Sprintf("clinic_load_%d", s.patients), OptParams: "directConnection=true&maxPoolSize=50&timeoutMS=300000"}, zap.NewNop(), store.Monitors{})
	if err != nil {
		return err
	}
	if err := d.Connect(ctx, false); err != nil {
		return err
	}
	defer d.Close(ctx)
	stage, err := seed(ctx, d, s.patients)
	if err != nil {
		return err
	}
	if s.analyze != "" {
		command := exec.CommandContext(ctx, "sh", "-c", s.analyze)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", s.analyze, err, output)
		}
	}
	operations, stop, err := prepareSides(ctx, s, stage, d)
	if err != nil {
		return err
	}
	defer stop()
	results, err := measureAll(ctx, s, operations)
	if err != nil {
		return err
	}
	report := newReport(s, d.HasTransactions(), results)
	report.print(os.Stdout)
	if err := report.keep(s.results); err != nil {
		return err
	}
	return report.againstRecorded(os.Stdout, s.compare, s.record)
}

// prepareSides starts the service and the reference, if there is one, and returns the operations with all their sides.
func prepareSides(ctx context.Context, s settings, stage *stage, d *store.Database) ([]operation, func(), error) {
	service, stop, err := startService(ctx, s.service, s.store, d.Name())
	if err != nil {
		return nil, nil, err
	}
	made := operations(stage, service, d, s.merge)
	if s.reference == "" {
		return made, stop, nil
	}
	reference, stopReference, err := startService(ctx, s.reference, s.store, d.Name())
	if err != nil {
		stop()
		return nil, nil, err
	}
	for i, o := range operations(stage, reference, d, s.merge) {
		made[i].reference = o.service
	}
	return made, func() { stopReference(); stop() }, nil
}
