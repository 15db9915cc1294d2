package roster

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// seek is a search for persons in stored records, for lists that no table answers. Without such a search it finds everybody.
type seek struct{ seeker *seeker }

func newSeek(p *people) seek {
	if p == nil {
		return seek{}
	}
	return seek{&seeker{people: p}}
}

// projection adds what a search looks at.
func (s seek) projection(fields bson.D) bson.D {
	if s.seeker == nil {
		return fields
	}
	for _, path := range searched {
		if !slices.ContainsFunc(fields, func(e bson.E) bool { return e.Key == path }) {
			fields = append(fields, bson.E{Key: path, Value: 1})
		}
	}
	return fields
}

func (s seek) meets(record bson.Raw) (found, exact bool) {
	if s.seeker == nil {
		return true, false
	}
	return s.seeker.meets(identityOf(record))
}

// inTurn keeps a page of what it is given in order, but that what was searched for exactly comes first.
type inTurn[T any] struct {
	page  store.Page
	count int
	exact []T
	rest  []T
}

func (l *inTurn[T]) add(one T, exact bool) {
	l.count++
	switch end := l.page.Offset + l.page.Limit; {
	case exact && len(l.exact) < end:
		l.exact = append(l.exact, one)
	case !exact && len(l.rest) < end:
		l.rest = append(l.rest, one)
	}
}

func (l *inTurn[T]) onPage() []T {
	return store.Cut(slices.Concat(l.exact, l.rest), l.page)
}
