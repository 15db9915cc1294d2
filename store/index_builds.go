package store

import (
	"maps"
	"sync"
)

// buildings knows which indexes are being built.
type buildings struct {
	mu     sync.Mutex
	counts map[string]int
}

// add takes note of indexes of a collection until the returned function is called.
func (b *buildings) add(collection string, n int) func() {
	b.change(collection, n)
	return func() { b.change(collection, -n) }
}

func (b *buildings) change(collection string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counts == nil {
		b.counts = map[string]int{}
	}
	if b.counts[collection] += n; b.counts[collection] == 0 {
		delete(b.counts, collection)
	}
}

// IndexesBeingBuilt returns how many indexes this process is building in the background, by collection.
func (d *Database) IndexesBeingBuilt() map[string]int {
	d.building.mu.Lock()
	defer d.building.mu.Unlock()
	return maps.Clone(d.building.counts)
}
