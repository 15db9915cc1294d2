package flight

import (
	"context"
	"errors"
	"sync"
)

// Group lets simultaneous callers with the same key share one call. The zero value is ready. It remembers no result: who
// comes when a call is over makes a new one.
type Group[T any] struct {
	mu    sync.Mutex
	calls map[string]*call[T]
}

// call is one call and what came of it.
type call[T any] struct {
	ctx     context.Context // belongs to the call, which outlives each caller
	cancel  context.CancelCauseFunc
	waiting int // callers

	done     chan struct{} // closed when the rest is set
	value    T
	err      error
	panicked any
}

// errAborted is the result of work that ended its goroutine.
var errAborted = errors.New("the shared call was aborted")

// newCall returns a call with the values of the context, but not its end.
func newCall[T any](ctx context.Context) *call[T] {
	c := &call[T]{done: make(chan struct{}), err: errAborted}
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return c
}

// result waits for what comes of the call, or returns the reason why ctx ended first. It panics if the work did.
func (c *call[T]) result(ctx context.Context) (T, error) {
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case <-c.done:
	}
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.value, c.err
}

// Do returns the result of the work, or the reason why ctx ended first. If the work panics, each caller does.
//
// The work gets the values of the context of whoever came first, but not its end: it goes on as long as anybody waits for
// it, and is cancelled when the last one has left.
func (g *Group[T]) Do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	c := g.join(ctx, key, work)
	defer g.leave(ctx, key, c)
	return c.result(ctx)
}

func (g *Group[T]) join(ctx context.Context, key string, work func(context.Context) (T, error)) *call[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.calls[key]; ok {
		c.waiting++
		return c
	}
	c := newCall[T](ctx)
	c.waiting++
	if g.calls == nil {
		g.calls = map[string]*call[T]{}
	}
	g.calls[key] = c
	go g.run(key, c, work)
	return c
}

func (g *Group[T]) run(key string, c *call[T], work func(context.Context) (T, error)) {
	defer func() {
		c.panicked = recover()
		g.forget(key, c)
		close(c.done)
	}()
	c.value, c.err = work(c.ctx)
}

func (g *Group[T]) leave(ctx context.Context, key string, c *call[T]) {
	g.mu.Lock()
	c.waiting--
	last := c.waiting == 0
	if last && g.calls[key] == c {
		delete(g.calls, key) // who comes now must not get a cancelled call
	}
	g.mu.Unlock()
	if last {
		c.cancel(ctx.Err()) // so that a call given up for lack of time counts as that
	}
}

func (g *Group[T]) forget(key string, c *call[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls[key] == c {
		delete(g.calls, key)
	}
}
