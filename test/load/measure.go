package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// call does one thing once; n counts the calls, so that each can be about another patient.
type call func(ctx context.Context, n int) error

// work is a call, what has to be there before a turn of it, and what is to be cleared away after it.
type work struct {
	do              call
	prepare, finish func(ctx context.Context) error // nil for nothing
}

// operation is what is measured, done by the service, by the bare driver and by the reference. Only the service always has a call.
type operation struct {
	name            string
	service, driver work
	reference       work
	wanted          string // what was set as a goal, in words
	once            bool   // whether it takes so long that each does it once only, by one caller
}

// figures are what was measured of one side.
type figures struct {
	P50       float64 `json:"p50ms"`
	P99       float64 `json:"p99ms"`
	PerSecond float64 `json:"perSecond"`
	Calls     int     `json:"calls"`
}

type result struct {
	Operation string   `json:"operation"`
	Service   figures  `json:"service"`
	Driver    *figures `json:"driver,omitempty"`    // nil if the driver has no part in it
	Reference *figures `json:"reference,omitempty"` // nil if there is none, or if it fails
	// Ratio says how many calls the driver makes in the time of one of the service. 0 if the driver makes none.
	Ratio  float64 `json:"ratio,omitempty"`
	Wanted string  `json:"wanted,omitempty"`
	Memory *held   `json:"memory,omitempty"` // of the service afterwards; nil if the system does not tell
}

// measureAll measures the operations, and looks after each at what the process of the service holds. One that fails has no result,
// and does not keep the others from being measured.
func measureAll(ctx context.Context, s settings, operations []operation, process int) ([]result, error) {
	var (
		results []result
		failed  []error
	)
	for _, o := range operations {
		if !strings.Contains(o.name, s.only) || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "load: %s\n", o.name)
		r, err := measure(ctx, s, o)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", o.name, err))
			continue
		}
		r.Memory = heldBy(process)
		results = append(results, r)
	}
	return results, errors.Join(append(failed, ctx.Err())...)
}

// side is who does the operation, and the turns it had.
type side struct {
	name string
	work
	took  []time.Duration
	spent time.Duration
	// failed is kept of the reference only: what it cannot do is no failure of the measurement.
	failed error
}

// measure lets the sides take turns, so that all see the same moods of the machine.
func measure(ctx context.Context, s settings, o operation) (result, error) {
	service, driver, reference := &side{name: "service", work: o.service}, &side{name: "driver", work: o.driver}, &side{name: "reference", work: o.reference}
	sides := slices.DeleteFunc([]*side{service, driver, reference}, func(a *side) bool { return a.do == nil })
	rounds, callers := s.rounds, s.callers
	if o.once {
		rounds, callers = 1, 1
	}
	for round := -1; round < rounds; round++ {
		for _, side := range sides {
			if err := side.round(ctx, s, o, round, callers); err != nil {
				return result{}, fmt.Errorf("%s: %w", side.name, err)
			}
		}
		// What takes longer than a turn does not need many of them.
		if round == 0 && slices.ContainsFunc(sides, func(a *side) bool { return a.spent > 2*s.slice }) {
			rounds = min(rounds, 2)
		}
	}
	r := result{Operation: o.name, Service: *service.figures(), Driver: driver.figures(), Reference: reference.figures(), Wanted: o.wanted}
	if r.Driver != nil {
		r.Ratio = r.Driver.PerSecond / r.Service.PerSecond
	}
	return r, nil
}

// round is a turn of the side. The one before the first is for connections, plans and caches.
func (a *side) round(ctx context.Context, s settings, o operation, round, callers int) error {
	if a.failed != nil {
		return nil //nolint:nilerr // it is left out from now on
	}
	var err error
	switch {
	case round < 0 && o.once:
	case round < 0:
		err = a.do(ctx, 0)
	default:
		if a.prepare != nil {
			if err := a.prepare(ctx); err != nil {
				return err
			}
		}
		slice := s.slice
		if o.once {
			slice = 0
		}
		err = a.turn(ctx, callers, slice, callers)
		if a.finish != nil {
			err = errors.Join(err, a.finish(ctx))
		}
	}
	if err != nil && a.name == "reference" {
		fmt.Fprintf(os.Stderr, "load: %s: the reference: %v\n", o.name, err)
		a.failed, err = err, nil
	}
	return err
}

// turn lets the callers call until the slice is over, and at least so many calls were made.
func (a *side) turn(ctx context.Context, callers int, slice time.Duration, least int) error {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		failed error
		n      atomic.Int64
	)
	before, started := len(a.took), time.Now()
	for range callers {
		group.Go(func() {
			for {
				call := int(n.Add(1))
				if call > least && time.Since(started) >= slice {
					return
				}
				began := time.Now()
				err := a.do(ctx, call+before)
				took := time.Since(began)
				mu.Lock()
				a.took = append(a.took, took)
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
	a.spent += time.Since(started)
	return failed
}

// figures returns nil for a side that has no part, or failed.
func (a *side) figures() *figures {
	if a.do == nil || a.failed != nil {
		return nil
	}
	slices.Sort(a.took)
	at := func(share float64) float64 {
		return milliseconds(a.took[min(int(share*float64(len(a.took))), len(a.took)-1)])
	}
	return &figures{P50: at(0.5), P99: at(0.99), PerSecond: float64(len(a.took)) / a.spent.Seconds(), Calls: len(a.took)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
