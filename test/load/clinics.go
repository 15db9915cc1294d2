package main

import (
	"context"
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
	var results []result
	for i, o := range pages[0] {
		if !strings.Contains(o.name, s.only) {
			continue
		}
		name := fmt.Sprintf("%s of %d clinics", o.name, len(stages))
		fmt.Fprintf(os.Stderr, "load: %s\n", name)
		a := side{work: work{do: func(ctx context.Context, n int) error { return pages[n%len(pages)][i].service.do(ctx, n) }}}
		if err := a.turn(ctx, s.callers, s.sustained, len(stages)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		results = append(results, result{Operation: name, Service: *a.figures(), Memory: heldBy(process)})
	}
	return results, nil
}
