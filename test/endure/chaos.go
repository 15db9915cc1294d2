package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

const (
	// recovery bounds how long it may take until all is well again after a fault has ended.
	recovery = time.Minute
	// inARow is how many good answers mean that all is well.
	inARow = 20
)

// step changes what the replicas live in.
type step func(ctx context.Context, w *world) error

// phase is something that goes wrong for a while. Both steps may be nil.
type phase struct {
	name       string
	begin, end step
}

// phases are what happens, in this order. Writes that are cut through come first: what they leave is looked after a minute later.
func phases() []phase {
	neighbours := func(fault standin.Fault) step {
		return always(func(w *world) { w.neighbours.Fail("", fault) })
	}
	heal := always(func(w *world) { w.neighbours.Heal() })
	slow := always(func(w *world) { w.slowDatabase(100 * time.Millisecond) })
	quick := always(func(w *world) { w.wire.Heal() })
	return []phase{
		{"calm", nil, nil},
		{"database a black hole", always(func(w *world) { w.wire.Silence() }), always(func(w *world) { w.wire.Speak() })},
		{"database cut off", always(func(w *world) { w.wire.Cut() }), always(func(w *world) { w.wire.Mend() })},
		{"one replica killed", kills(0), starts(0)},
		{"database slow, the other killed", both(slow, kills(1)), both(quick, starts(1))},
		{"both replicas killed", kills(0, 1), starts(0, 1)},
		{"database slow, 0.1 s a command", slow, quick},
		{"database slow, 1 s a command", always(func(w *world) { w.slowDatabase(time.Second) }), quick},
		{"neighbours slow, 3 s a call", neighbours(standin.Fault{Delay: 3 * time.Second}), heal},
		{"neighbours hang", neighbours(standin.Fault{Hang: true}), heal},
		{"neighbours talk nonsense", neighbours(standin.Fault{Status: http.StatusOK, Body: `<html>"`, ContentType: "text/html"}), heal},
		{"neighbours fail", neighbours(standin.Fault{Status: http.StatusInternalServerError}), heal},
		{"neighbours hang up", neighbours(standin.Fault{Cut: true}), heal},
		{"calm again", nil, nil},
	}
}

// always is a step that cannot fail.
func always(do func(w *world)) step {
	return func(_ context.Context, w *world) error {
		do(w)
		return nil
	}
}

func both(steps ...step) step {
	return func(ctx context.Context, w *world) error {
		for _, do := range steps {
			if err := do(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
}

func kills(numbers ...int) step {
	return func(_ context.Context, w *world) error {
		for _, n := range numbers {
			w.replicas[n].kill()
		}
		return nil
	}
}

func starts(numbers ...int) step {
	return func(ctx context.Context, w *world) error {
		for _, n := range numbers {
			if err := w.replicas[n].start(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// slowDatabase lets each command wait before it is carried out.
func (w *world) slowDatabase(delay time.Duration) {
	w.wire.Arm(wire.Fault{Delay: delay, Counts: func(wire.Command) bool { return true }})
}

// chaos breaks one thing after the other. Then nothing that was answered with 2xx may be lost, no answer may come later than a
// gateway waits, all has to go well again soon, and numbers have to be exact at the end.
func chaos(ctx context.Context, w *world) error {
	var rows [][]string
	l, err := w.underLoad(ctx, func(l *load) error {
		for _, p := range phases() {
			if p.begin != nil && !strings.Contains(p.name, w.settings.only) {
				continue
			}
			fmt.Fprintf(os.Stderr, "endure: %s %s\n", time.Now().UTC().Format(time.TimeOnly), p.name)
			row, err := w.suffer(ctx, p, l)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	table(os.Stdout, append([]string{"what happened", "well again after s"}, answerHead...), rows)
	w.judgeTimes(l.figures.all())
	return verify(ctx, w, l)
}

// suffer lets a phase happen and waits until all is well again. It returns what was answered to the requests of the phase.
func (w *world) suffer(ctx context.Context, p phase, l *load) ([]string, error) {
	w.wire.Forget() // the proxy remembers every command
	begun := time.Now()
	if p.begin != nil {
		if err := p.begin(ctx, w); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, w.settings.phase); err != nil {
		return nil, err
	}
	ended := time.Now()
	if p.end != nil {
		if err := p.end(ctx, w); err != nil {
			return nil, err
		}
	}
	if err := w.recover(ctx, l); err != nil {
		w.verdict.complain("%s: not well again: %s", p.name, err)
	}
	well := time.Since(ended)
	// The next phase begins with callers who are free.
	if err := until(ctx, patience, func() error {
		if n := l.waitingSince(ended); n > 0 {
			return fmt.Errorf("%d callers wait", n)
		}
		return nil
	}); err != nil {
		w.verdict.complain("%s: %s", p.name, err)
	}
	during := l.figures.between(begun, ended)
	if t := during.tally(); p.begin == nil && t.good < len(during) && !w.settings.lenient {
		w.verdict.complain("%s: %d of %d requests failed", p.name, len(during)-t.good, len(during))
	}
	return append([]string{p.name, seconds(well)}, during.cells()...), nil
}

// recover waits until all replicas are ready and requests succeed.
func (w *world) recover(ctx context.Context, l *load) error {
	if err := w.balancer.await(ctx, recovery); err != nil {
		return err
	}
	limit := recovery
	if w.settings.lenient {
		limit *= 2
	}
	good := 0
	return until(ctx, limit, func() error {
		for ; good < inARow; good++ {
			if status, err := l.client.call(ctx, server, http.MethodGet, l.clinics[good%clinicsMade].path("/patients?limit=1"), nil, nil); err != nil || status != http.StatusOK {
				good = 0
				return fmt.Errorf("a list was answered with %d (0 is no answer)", status)
			}
		}
		return nil
	})
}

// judgeTimes complains of answers that a gateway would not have waited for. A replica that was killed gives none at all, which
// the balancer says at once.
func (w *world) judgeTimes(all answers) {
	late := 0
	for _, a := range all {
		switch {
		case a.status == 0:
			w.verdict.complain("%s had no answer after %s", a.operation, a.took)
		case a.took > latest:
			late++
			text := fmt.Sprintf("%s was answered with %d after %s, begun at %s", a.operation, a.status, a.took, a.begun.UTC().Format(time.TimeOnly))
			if w.settings.lenient {
				fmt.Println("late:", text)
			} else {
				w.verdict.complain("%s", text)
			}
		}
	}
	fmt.Printf("%d of %d answers came later than %s; the longest took %s s\n", late, len(all), latest, seconds(all.at(1)))
}
