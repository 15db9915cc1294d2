package tally

import (
	"iter"
	"slices"
	"sync/atomic"
)

// Other is counted for a word that is not in the list of its label.
const Other = "other"

// Counter counts events by the words of its labels. It is safe for concurrent use.
type Counter struct {
	lists  [][]string
	counts []atomic.Int64 // one for each combination of words
}

// NewCounter returns a counter with one label for each list of words. Every combination begins at 0, so that its first
// increase can be seen. Without lists it just counts.
func NewCounter(lists ...[]string) *Counter {
	c := &Counter{}
	combinations := 1
	for _, list := range lists {
		if !slices.Contains(list, Other) {
			list = append(slices.Clone(list), Other)
		}
		c.lists = append(c.lists, list)
		combinations *= len(list)
	}
	c.counts = make([]atomic.Int64, combinations)
	return c
}

// Add counts an event, with one word for each label. A word that is missing or not in the list counts as Other.
func (c *Counter) Add(words ...string) {
	index := 0
	for i, list := range c.lists {
		place := -1
		if i < len(words) {
			place = slices.Index(list, words[i])
		}
		if place < 0 {
			place = slices.Index(list, Other)
		}
		index = index*len(list) + place
	}
	c.counts[index].Add(1)
}

// Counts goes through all combinations of words and how often each was counted.
func (c *Counter) Counts() iter.Seq2[[]string, int64] {
	return func(yield func([]string, int64) bool) {
		for i := range c.counts {
			words, rest := make([]string, len(c.lists)), i
			for j := len(c.lists) - 1; j >= 0; j-- {
				words[j] = c.lists[j][rest%len(c.lists[j])]
				rest /= len(c.lists[j])
			}
			if !yield(words, c.counts[i].Load()) {
				return
			}
		}
	}
}

// Total returns how many events were counted in all.
func (c *Counter) Total() int64 {
	var total int64
	for _, n := range c.Counts() {
		total += n
	}
	return total
}
