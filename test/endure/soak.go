package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// spells is how many lines the table has.
	spells = 10
	// rest is how long replicas have to come to rest without requests.
	rest = 30 * time.Second
	// What is allowed to grow at rest: work in the background comes and goes.
	goroutinesAllowed = 30
	filesAllowed      = 10
	// What memory may grow after the first third: what the collector leaves, and never a part of what a leak would be.
	memoryFactor  = 1.25
	memoryAllowed = 32 << 20
)

// soak sends requests for a long time and looks at what the replicas hold: memory, goroutines, files, connections.
func soak(ctx context.Context, w *world) error {
	before, err := w.holdings(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	var memory []float64
	l, err := w.underLoad(ctx, func(l *load) error {
		for range spells {
			begun := time.Now()
			if err := wait(ctx, w.settings.duration/spells); err != nil {
				return err
			}
			held, err := w.holdings(ctx)
			if err != nil {
				return err
			}
			memory = append(memory, held.memory)
			row := append([]string{fmt.Sprint(len(rows) + 1)}, l.figures.between(begun, time.Now()).cells()...)
			rows = append(rows, append(row, held.cells()...))
			fmt.Fprintf(os.Stderr, "endure: %d requests\n", l.figures.count())
		}
		return nil
	})
	if err != nil {
		return err
	}
	after := w.judgeRest(ctx, before)
	w.judgeMemory(memory)

	fmt.Println("Tenths of the time; of what replicas hold, the larger number of the two:")
	table(os.Stdout, append(append([]string{"tenth"}, answerHead...), holdingsHead...), rows)
	fmt.Printf("%.2f ms of a processor for each request\n\n", 1000*(after.processor-before.processor)/float64(max(1, l.figures.count())))
	w.judgeAnswers(l.figures.all())
	return verify(ctx, w, l)
}

// judgeRest waits until the replicas hold no more than before the load, but for what is allowed. It returns what they hold.
func (w *world) judgeRest(ctx context.Context, before holdings) holdings {
	w.balancer.transport.CloseIdleConnections()
	var held holdings
	err := until(ctx, rest, func() (err error) {
		if held, err = w.holdings(ctx); err != nil {
			return err
		}
		if held.goroutines-held.connections > before.goroutines-before.connections+goroutinesAllowed {
			return fmt.Errorf("%.0f goroutines, before %.0f", held.goroutines, before.goroutines)
		}
		if held.files-held.connections > before.files-before.connections+filesAllowed {
			return fmt.Errorf("%.0f open files, before %.0f", held.files, before.files)
		}
		return nil
	})
	if err != nil {
		w.verdict.complain("without requests: %s", err)
	}
	fmt.Printf("at rest: %.0f goroutines (before the load %.0f), %.0f open files (%.0f), %.0f connections to the database (%.0f)\n\n",
		held.goroutines, before.goroutines, held.files, before.files, held.connections, before.connections)
	return held
}

// judgeMemory compares the last tenths with those after the first third, in which caches and connections are made.
func (w *world) judgeMemory(memory []float64) {
	third := len(memory) / 3
	early, late := least(memory[third:2*third]), least(memory[len(memory)-third:])
	if late > early*memoryFactor+memoryAllowed {
		w.verdict.complain("memory grew from %.0f to %.0f MiB", early/(1<<20), late/(1<<20))
	}
}

func least(values []float64) float64 {
	smallest := values[0]
	for _, value := range values {
		smallest = min(smallest, value)
	}
	return smallest
}
