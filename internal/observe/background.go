package observe

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Background runs work at intervals, each beside the others, and knows how it went.
type Background struct {
	log     *zap.Logger
	stop    context.CancelFunc
	context context.Context // that of the work, which ends with the process
	running sync.WaitGroup

	mu    sync.Mutex
	works map[string]WorkState
}

// WorkState says how background work went.
type WorkState struct {
	Running  bool          `json:"running"`
	Since    time.Time     `json:"since"` // when it began last, or ended last
	Took     time.Duration `json:"tookNanoseconds"`
	Failures int           `json:"failures"` // in a row
}

// NewBackground returns a background in which nothing runs.
func NewBackground(log *zap.Logger) *Background {
	b := &Background{log: log, works: map[string]WorkState{}}
	b.context, b.stop = context.WithCancel(context.Background())
	return b
}

// Every runs the work now, and again that long after it ended, until Stop. The limit bounds each run. Only the first of several
// failures in a row is logged.
func (b *Background) Every(interval, limit time.Duration, name string, work func(ctx context.Context) error) {
	b.running.Go(func() {
		for {
			b.once(limit, name, work)
			select {
			case <-b.context.Done():
				return
			case <-time.After(interval):
			}
		}
	})
}

func (b *Background) once(limit time.Duration, name string, work func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(b.context, limit)
	defer cancel()
	start := time.Now()
	before := b.set(name, func(s *WorkState) { s.Running, s.Since = true, start })
	err := work(ctx)
	if b.context.Err() != nil {
		return
	}
	b.set(name, func(s *WorkState) {
		s.Running, s.Since, s.Took = false, time.Now(), time.Since(start)
		if s.Failures++; err == nil {
			s.Failures = 0
		}
	})
	if err != nil && before.Failures == 0 {
		b.log.Warn("background work failed; it is tried again", zap.String("work", name), zap.Error(err))
	}
}

// set changes the state of a work, and returns what it became.
func (b *Background) set(name string, change func(*WorkState)) WorkState {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.works[name]
	change(&state)
	b.works[name] = state
	return state
}

// States returns how each work went.
func (b *Background) States() map[string]WorkState {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make(map[string]WorkState, len(b.works))
	for name, state := range b.works {
		states[name] = state
	}
	return states
}

// Stop ends all work and waits for it.
func (b *Background) Stop() {
	b.stop()
	b.running.Wait()
}
