package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// between is the time between two restarts, in which all replicas work.
const between = time.Second

// restart sends requests while one replica after the other is ended with SIGTERM and started again. Every request has to
// succeed, and every replica has to end in order.
func restart(ctx context.Context, w *world) error {
	var rows [][]string
	l, err := w.underLoad(ctx, func(l *load) error {
		for n := 0; n < replicas || l.figures.count() < w.settings.requests; n++ {
			row, err := w.replace(ctx, w.replicas[n%replicas], l)
			if err != nil {
				return err
			}
			rows = append(rows, row)
			fmt.Fprintf(os.Stderr, "endure: %d restarts, %d requests\n", len(rows), l.figures.count())
		}
		return nil
	})
	if err != nil {
		return err
	}

	fmt.Println("What was answered while each replica was replaced:")
	table(os.Stdout, append([]string{"replica", "ended after s", "ready after s"}, answerHead...), rows)
	w.judgeAnswers(l.figures.all())
	t := l.figures.all().tally()
	fmt.Printf("%d of %d requests failed\n", l.figures.count()-t.good, l.figures.count())
	return verify(ctx, w, l)
}

// judgeAnswers prints what was answered, and complains about all that is not good.
func (w *world) judgeAnswers(all answers) {
	all.byOperation(os.Stdout)
	for _, a := range all {
		if !a.good() {
			w.verdict.complain("%s was answered with %d after %s", a.operation, a.status, a.took)
		}
	}
}

// replace ends a replica, starts it again, waits until the balancer uses it, and returns what happened meanwhile.
func (w *world) replace(ctx context.Context, r *replica, l *load) ([]string, error) {
	begun := time.Now()
	if err := r.stop(); err != nil {
		w.verdict.complain("replica %s did not end in order: %s", r.name, err)
		r.kill()
	}
	ended := time.Since(begun)
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	client := http.Client{Timeout: time.Second}
	if err := until(ctx, time.Minute, func() error { return readyOr(ctx, &client, r) }); err != nil {
		return nil, err
	}
	ready := time.Since(begun)
	if err := w.balancer.await(ctx, time.Minute); err != nil {
		return nil, err
	}
	if err := wait(ctx, between); err != nil {
		return nil, err
	}
	return append([]string{r.name, seconds(ended), seconds(ready)}, l.figures.between(begun, time.Now()).cells()...), nil
}

func readyOr(ctx context.Context, client *http.Client, r *replica) error {
	if isReady(ctx, client, r.url()) {
		return nil
	}
	return fmt.Errorf("replica %s does not get ready", r.name)
}
