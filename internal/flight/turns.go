package flight

import (
	"context"
	"sync"
	"time"
)

// Turns lets callers who come at about the same time share one call, to which each hands in something. Calls with the same key take
// turns: who comes while one is under way shares the next, which begins only after it. So a call sees all that was there when its
// callers came.
type Turns[In, Out any] struct {
	work     Work[In, Out]
	patience time.Duration

	mu     sync.Mutex
	latest map[string]*turn[In, Out]
}

// Work makes a result for each of all that was handed in, in the same order. An error is that of every caller.
type Work[In, Out any] func(ctx context.Context, all []In) ([]Out, error)

// Patience is how long a trip to the database waits at most for the one before: most end sooner.
const Patience = 20 * time.Millisecond

// NewTurns returns turns that work is done in. Each waits so long at most for the one before, lest one that hangs holds up all
// others; 0 means until it ends.
func NewTurns[In, Out any](patience time.Duration, work Work[In, Out]) *Turns[In, Out] {
	return &Turns[In, Out]{work: work, patience: patience, latest: map[string]*turn[In, Out]{}}
}

// turn is one call, and what was handed in to it.
type turn[In, Out any] struct {
	*call[[]Out]
	all   []In
	begun bool // nothing can be handed in any more
}

// Do hands something in and returns what became of it, or the reason why ctx ended first. If the work panics, each caller does.
//
// The work gets the values of the context of whoever came first to the turn, but not its end: it goes on as long as anybody waits
// for it, and is cancelled when the last one has left. What was handed in by others who left is worked on all the same.
func (t *Turns[In, Out]) Do(ctx context.Context, key string, in In) (Out, error) {
	mine, place := t.join(ctx, key, in)
	defer t.leave(ctx, mine)
	results, err := mine.result(ctx)
	if err != nil {
		var none Out
		return none, err
	}
	return results[place], nil
}

func (t *Turns[In, Out]) join(ctx context.Context, key string, in In) (mine *turn[In, Out], place int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine, ok := t.latest[key]
	if !ok || mine.begun || mine.waiting == 0 {
		var before <-chan struct{}
		if ok {
			before = mine.done
		}
		mine = &turn[In, Out]{call: newCall[[]Out](ctx)}
		t.latest[key] = mine
		go t.run(key, mine, before)
	}
	mine.waiting++
	mine.all = append(mine.all, in)
	return mine, len(mine.all) - 1
}

func (t *Turns[In, Out]) leave(ctx context.Context, left *turn[In, Out]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if left.waiting--; left.waiting == 0 {
		left.cancel(ctx.Err()) // so that a call given up for lack of time counts as that
	}
}

func (t *Turns[In, Out]) run(key string, mine *turn[In, Out], before <-chan struct{}) {
	defer func() {
		mine.panicked = recover()
		t.mu.Lock()
		if t.latest[key] == mine {
			delete(t.latest, key)
		}
		t.mu.Unlock()
		close(mine.done)
	}()
	t.await(before)
	t.mu.Lock()
	mine.begun = true
	t.mu.Unlock()
	if mine.ctx.Err() == nil { // else everybody has left
		mine.value, mine.err = t.work(mine.ctx, mine.all)
	}
}

// await waits for the turn before, if there is one.
func (t *Turns[In, Out]) await(before <-chan struct{}) {
	if before == nil {
		return
	}
	var enough <-chan time.Time
	if t.patience > 0 {
		timer := time.NewTimer(t.patience)
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-before:
	case <-enough:
	}
}
