package tally

import (
	"sort"
	"sync"
	"time"
)

// Times is a histogram of how long something took. It is safe for concurrent use.
type Times struct {
	bounds []float64 // in seconds, ascending

	mu     sync.Mutex
	counts []uint64 // by the first bound that is not exceeded; the last entry is for what exceeds all
	sum    time.Duration
}

// NewTimes returns a histogram with the bounds, in seconds and ascending.
func NewTimes(bounds ...float64) *Times {
	return &Times{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

// Observe takes a time in.
func (t *Times) Observe(took time.Duration) {
	place := sort.SearchFloat64s(t.bounds, took.Seconds())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[place]++
	t.sum += took
}

// Snapshot is what a histogram holds at one moment.
type Snapshot struct {
	Count uint64
	Sum   time.Duration
	// UpTo says for each bound how many times did not exceed it.
	UpTo map[float64]uint64
}

// Snapshot returns what was taken in so far.
func (t *Times) Snapshot() Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{Sum: t.sum, UpTo: make(map[float64]uint64, len(t.bounds))}
	for i, bound := range t.bounds {
		s.Count += t.counts[i]
		s.UpTo[bound] = s.Count
	}
	s.Count += t.counts[len(t.bounds)]
	return s
}
