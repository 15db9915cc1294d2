package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// measureClinics calls the pages of all clinics in turns, which fills the service with what it keeps of each, and looks after
// each operation at how much memory that takes. Each clinic is called at least once.
func measureClinics(ctx context.Context, s settings, b *bench, stages []*stage, process int) ([]result, error) {
	if len(stages) < 2 {
		return nil, nil
	}
	var pages [][]operation
	for _, stage := range stages {
		pages = append(pages, b.at(stage).pages())
	}
	var (
		results []result
		failed  []error
	)
	for i, o := range pages[0] {
		if !strings.Contains(o.name, s.only) || ctx.Err() != nil {
			continue
		}
		name := fmt.Sprintf("%d clinics: %s", len(stages), o.name)
		fmt.Fprintf(os.Stderr, "load: %s\n", name)
		a := side{work: work{do: func(ctx context.Context, n int) error { return pages[n%len(pages)][i].service.do(ctx, n) }}}
		if err := a.turn(ctx, s.callers, s.sustained, len(stages)); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		results = append(results, result{Operation: name, Service: *a.figures(), Memory: heldBy(process)})
	}
	return results, errors.Join(failed...)
}
