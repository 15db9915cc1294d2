package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// call does one thing once; n counts the calls, so that each can be about another patient.
type call func(ctx context.Context, n int) error

// operation is what is measured, done by the service and by the bare driver.
type operation struct {
	name            string
	service, driver call
	once            bool // whether it takes so long that each does it once only
}

// figures are what was measured of one side.
type figures struct {
	P50       float64 `json:"p50ms"`
	P99       float64 `json:"p99ms"`
	PerSecond float64 `json:"perSecond"`
	Calls     int     `json:"calls"`
}

type result struct {
	Operation string  `json:"operation"`
	Service   figures `json:"service"`
	Driver    figures `json:"driver"`
	// Ratio says how many calls the driver makes in the time of one of the service.
	Ratio float64 `json:"ratio"`
}

func measureAll(ctx context.Context, s settings, operations []operation) ([]result, error) {
	var results []result
	for _, o := range operations {
		if !strings.Contains(o.name, s.only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "load: %s\n", o.name)
		r, err := measure(ctx, s, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// sample collects the turns of one side.
type sample struct {
	took  []time.Duration
	spent time.Duration
}

// measure lets service and driver take turns, so that both see the same moods of the machine.
func measure(ctx context.Context, s settings, o operation) (result, error) {
	var service, driver sample
	rounds, callers := s.rounds, s.callers
	if o.once {
		rounds, callers = 1, 1
	} else {
		began := time.Now()
		for _, warm := range []call{o.service, o.driver} { // connections, plans, caches
			if err := warm(ctx, 0); err != nil {
				return result{}, err
			}
		}
		if time.Since(began) > s.slice { // what takes so long does not need many turns, nor callers who wait in line
			rounds, callers = 2, min(callers, runtime.NumCPU())
		}
	}
	for range rounds {
		if err := service.turn(ctx, o.service, callers, s.slice, o.once); err != nil {
			return result{}, fmt.Errorf("service: %w", err)
		}
		if err := driver.turn(ctx, o.driver, callers, s.slice, o.once); err != nil {
			return result{}, fmt.Errorf("driver: %w", err)
		}
	}
	r := result{Operation: o.name, Service: service.figures(), Driver: driver.figures()}
	r.Ratio = r.Driver.PerSecond / r.Service.PerSecond
	return r, nil
}

func (s *sample) turn(ctx context.Context, do call, callers int, slice time.Duration, once bool) error {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		failed error
		n      atomic.Int64
	)
	started := time.Now()
	for range callers {
		group.Go(func() {
			for first := true; first || !once && time.Since(started) < slice; first = false {
				began := time.Now()
				err := do(ctx, int(n.Add(1))+len(s.took))
				took := time.Since(began)
				mu.Lock()
				s.took = append(s.took, took)
				if err != nil {
					failed = err
				}
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	s.spent += time.Since(started)
	return failed
}

func (s *sample) figures() figures {
	slices.Sort(s.took)
	at := func(share float64) float64 {
		return milliseconds(s.took[min(int(share*float64(len(s.took))), len(s.took)-1)])
	}
	return figures{P50: at(0.5), P99: at(0.99), PerSecond: float64(len(s.took)) / s.spent.Seconds(), Calls: len(s.took)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
