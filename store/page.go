package store

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Page says which part of a list is wanted.
type Page struct {
	Offset int
	Limit  int
}

// maxPage is more than any list has entries, and little enough for sums of pages not to overflow.
const maxPage = math.MaxInt32

// defaultLimit is how long a page is when the caller does not say.
const defaultLimit = 10

// NewPage returns the page that the caller asked for; nil stands for the default, offset 0 and defaultLimit.
func NewPage(offset, limit *int) Page {
	page := Page{Limit: defaultLimit}
	if offset != nil {
		page.Offset = min(*offset, maxPage)
	}
	if limit != nil {
		page.Limit = min(*limit, maxPage)
	}
	return page
}

// Find returns options for a read of the page. The caller adds a sort order, without which pages are not stable.
func (p Page) Find() *options.FindOptionsBuilder {
	return options.Find().SetSkip(int64(p.Offset)).SetLimit(int64(p.Limit))
}

// Cut returns the page of a list that is in memory already. It is empty past the end, never nil.
func Cut[T any](list []T, page Page) []T {
	start := min(page.Offset, len(list))
	end := min(page.Limit, len(list)-start) + start // the sum cannot overflow
	return append([]T{}, list[start:end]...)
}
