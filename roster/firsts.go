package roster

import (
	"slices"

	"github.com/tidepool-org/clinic/store"
)

// firstsSlack bounds how often what is kept is sorted in between.
const firstsSlack = 256

// firsts keeps, of all that it is given, what can be on a page in the order of compare.
type firsts[T any] struct {
	page    store.Page
	compare func(a, b T) int

	count int // of all that it was given
	kept  []T
	full  bool // whether kept begins with as many as the page needs, in order
}

func (f *firsts[T]) end() int { return f.page.Offset + f.page.Limit }

func (f *firsts[T]) add(one T) {
	f.count++
	end := f.end()
	if f.full && f.compare(one, f.kept[end-1]) > 0 {
		return // it cannot reach the page any more
	}
	f.kept = append(f.kept, one)
	if len(f.kept) >= 2*end+firstsSlack {
		slices.SortFunc(f.kept, f.compare)
		f.kept, f.full = f.kept[:end], end > 0
	}
}

// onPage returns what is on the page, in order.
func (f *firsts[T]) onPage() []T {
	slices.SortFunc(f.kept, f.compare)
	return f.kept[min(f.page.Offset, len(f.kept)):min(f.end(), len(f.kept))]
}
