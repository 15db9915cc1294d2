package platform

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"
)

// flight lets simultaneous callers with the same key share one call. The zero value is ready.
//
// The call keeps the values of the context of whoever came first, but not its end: it goes on as long as anybody waits
// for it, and is cancelled when the last one has left.
type flight[T any] struct {
	group  singleflight.Group
	mu     sync.Mutex
	shared map[string]*passengers
}

// passengers are those who wait for one call.
type passengers struct {
	waiting int
	ctx     context.Context //nolint:containedctx // belongs to the call, which outlives each caller
	cancel  context.CancelCauseFunc
}

// do returns the result of the call, or the reason why ctx ended first.
func (f *flight[T]) do(ctx context.Context, key string, call func(context.Context) (T, error)) (T, error) {
	results, leave := f.join(ctx, key, call)
	defer leave()
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case result := <-results:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(T), nil //nolint:errcheck,forcetypeassert // it is what call has returned
	}
}

func (f *flight[T]) join(
	ctx context.Context, key string, call func(context.Context) (T, error),
) (<-chan singleflight.Result, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all, ok := f.shared[key]
	if !ok {
		all = &passengers{}
		all.ctx, all.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
		if f.shared == nil {
			f.shared = map[string]*passengers{}
		}
		f.shared[key] = all
	}
	all.waiting++
	results := f.group.DoChan(key, func() (any, error) { return call(all.ctx) })
	return results, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		all.waiting--
		if all.waiting == 0 {
			all.cancel(ctx.Err()) // so that a call given up for lack of time counts as that
			delete(f.shared, key)
			f.group.Forget(key) // who comes now must not get a cancelled call
		}
	}
}
