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

// operation is what is measured, done by the service, by the bare driver and, if there is one, by the reference.
type operation struct {
	name            string
	service, driver work
	reference       work   // without a call, there is no reference
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
	Driver    figures  `json:"driver"`
	Reference *figures `json:"reference,omitempty"` // nil if there is none, or if it fails
	// Ratio says how many calls the driver makes in the time of one of the service.
	Ratio  float64 `json:"ratio"`
	Wanted string  `json:"wanted,omitempty"`
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
	sides := []*side{{name: "service", work: o.service}, {name: "driver", work: o.driver}}
	if o.reference.do != nil {
		sides = append(sides, &side{name: "reference", work: o.reference})
	}
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
	r := result{Operation: o.name, Service: sides[0].figures(), Driver: sides[1].figures(), Wanted: o.wanted}
	r.Ratio = r.Driver.PerSecond / r.Service.PerSecond
	if len(sides) > 2 && sides[2].failed == nil {
		figures := sides[2].figures()
		r.Reference = &figures
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
		err = a.turn(ctx, callers, s.slice, o.once)
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

func (a *side) turn(ctx context.Context, callers int, slice time.Duration, once bool) error {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		failed error
		n      atomic.Int64
	)
	before, started := len(a.took), time.Now()
	for range callers {
		group.Go(func() {
			for first := true; first || !once && time.Since(started) < slice; first = false {
				began := time.Now()
				err := a.do(ctx, int(n.Add(1))+before)
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

func (a *side) figures() figures {
	slices.Sort(a.took)
	at := func(share float64) float64 {
		return milliseconds(a.took[min(int(share*float64(len(a.took))), len(a.took)-1)])
	}
	return figures{P50: at(0.5), P99: at(0.99), PerSecond: float64(len(a.took)) / a.spent.Seconds(), Calls: len(a.took)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
