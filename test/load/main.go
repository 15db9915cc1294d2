package main

import (
	"context"
	"errors"
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
	patients  int
	clinics   int
	callers   int
	rounds    int
	slice     time.Duration
	sustained time.Duration
	store     string
	service   string
	analyze   string
	results   string
	only      string

	reference string // the binary of the reference service, "" for none
	merge     bool
	compare   string
	record    string
}

func main() {
	var s settings
	flag.IntVar(&s.patients, "n", 20_000, "how many patients a clinic has")
	flag.IntVar(&s.clinics, "clinics", 1, "how many clinics there are; the first is measured, then the pages of all in turns, for the memory that this takes")
	flag.IntVar(&s.callers, "callers", 8, "how many callers there are at a time")
	flag.IntVar(&s.rounds, "rounds", 8, "how often service and driver take turns")
	flag.DurationVar(&s.slice, "slice", 400*time.Millisecond, "how long a turn is")
	flag.DurationVar(&s.sustained, "sustained", 5*time.Second, "how long a page of several clinics is called")
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

// maxInserters is how many store the patients of a clinic: more do not make a database faster.
const maxInserters = 4

func (s settings) inserters() int { return min(s.callers, maxInserters) }

// database has a name of its own for each size, so that what was seeded once can be measured again.
func (s settings) database() string {
	if s.clinics > 1 {
		return fmt.Sprintf("clinic_load_%dx%d", s.patients, s.clinics)
	}
	return fmt.Sprintf("clinic_load_%d", s.patients)
}

// storeOptions let slow engines, and busy machines, be measured: the service itself gives up after seconds.
const storeOptions = "directConnection=true&timeoutMS=300000"

func run(ctx context.Context, s settings) error {
	if s.clinics < 1 {
		return errors.New("-clinics has to be 1 or more")
	}
	d, err := store.Open(config.Store{Addresses: s.store, Database: s.database(), OptParams: storeOptions + "&maxPoolSize=50"}, zap.NewNop(), store.Monitors{})
	if err != nil {
		return err
	}
	if err := d.Connect(ctx, false); err != nil {
		return err
	}
	defer d.Close(ctx)
	stages, err := seed(ctx, d, s)
	if err != nil {
		return err
	}
	if s.analyze != "" {
		command := exec.CommandContext(ctx, "sh", "-c", s.analyze)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", s.analyze, err, output)
		}
	}
	report, failed := examine(ctx, s, d, stages)
	if len(report.Results) == 0 {
		return failed
	}
	report.print(os.Stdout)
	if err := errors.Join(failed, report.keep(s.results)); err != nil {
		return err
	}
	return report.againstRecorded(os.Stdout, s.compare, s.record)
}

// examine starts the service, and the reference if there is one, and measures the first clinic, then all. The report has what was
// measured before something failed.
func examine(ctx context.Context, s settings, d *store.Database, stages []*stage) (report, error) {
	r := newReport(s, d.HasTransactions())
	service, err := startService(ctx, s.service, s.store, d.Name())
	if err != nil {
		return r, err
	}
	defer service.stop()
	r.Start = service.start
	b := newBench(stages[0], service.url, d, s.inserters())
	// Who was just stored is counted at the first look at the clinic, which would be measured instead of what comes first.
	for _, stage := range stages {
		if err := b.at(stage).count(ctx); err != nil {
			return r, err
		}
	}
	operations := b.operations(s.merge)
	if s.reference != "" {
		reference, err := startService(ctx, s.reference, s.store, d.Name())
		if err != nil {
			return r, err
		}
		defer reference.stop()
		for i, o := range newBench(stages[0], reference.url, d, s.inserters()).operations(s.merge) {
			operations[i].reference = o.service
		}
	}
	var failed, failedOfClinics error
	r.Results, failed = measureAll(ctx, s, operations, service.process)
	r.OfClinics, failedOfClinics = measureClinics(ctx, s, b, stages, service.process)
	r.Peak = r.findPeak()
	return r, errors.Join(failed, failedOfClinics)
}
