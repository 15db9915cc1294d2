package redox

import (
	"context"
	"sync"
)

// turns lets work on the same thing be done one after the other within this process.
type turns struct {
	mu      sync.Mutex
	waiting map[string]*queue
}

type queue struct {
	turn  chan struct{} // holds one element while somebody works
	users int
}

// take waits for the turn of the caller, or returns the error of the context. The caller must call done.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	q := t.enter(key)
	select {
	case q.turn <- struct{}{}:
		return func() {
			<-q.turn
			t.leave(key, q)
		}, nil
	case <-ctx.Done():
		t.leave(key, q)
		return nil, ctx.Err()
	}
}

func (t *turns) enter(key string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = map[string]*queue{}
	}
	q, ok := t.waiting[key]
	if !ok {
		q = &queue{turn: make(chan struct{}, 1)}
		t.waiting[key] = q
	}
	q.users++
	return q
}

func (t *turns) leave(key string, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.waiting, key)
	}
}
