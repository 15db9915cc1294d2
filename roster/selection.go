package roster

import (
	"iter"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// selection is what a table must know to choose the patients of a list; the conditions of a query say the same to the database.
type selection struct {
	search string // folded; "" if there is none
	tags   *Groups
	sites  *Groups
	usual  bool // only patients whose glucose is judged by the usual ranges
	values []valueCondition
	// reviewed tells that reviews matter, of which a table does not know: they change without a trace in updatedTime.
	reviewed bool
}

// Groups wants patients with tags or sites; without ids, those who have none. Nil wants everybody.
type Groups struct {
	IDs []bson.ObjectID
	All bool // whether they must have all of the ids, rather than any
}

func (g *Groups) accepts(set groupSet) bool {
	if len(g.IDs) == 0 {
		return set.none
	}
	has := func(id bson.ObjectID) bool { return slices.Contains(set.ids, id) }
	if g.All {
		return !slices.ContainsFunc(g.IDs, func(id bson.ObjectID) bool { return !has(id) })
	}
	return slices.ContainsFunc(g.IDs, has)
}

// condition says the same to the database. The patients have the groups at the path, and their ids at the path of ids. That all are
// there is said one by one below a list of documents, because not every engine looks for $all in there.
func (g *Groups) condition(path, idPath string) bson.E {
	switch {
	case len(g.IDs) == 0:
		return bson.E{Key: path, Value: bson.D{{Key: "$in", Value: bson.A{nil, bson.A{}}}}}
	case g.All && path != idPath:
		var each bson.A
		for _, id := range g.IDs {
			each = append(each, bson.D{{Key: idPath, Value: id}})
		}
		return bson.E{Key: "$and", Value: each}
	case g.All:
		return bson.E{Key: idPath, Value: bson.D{{Key: "$all", Value: g.IDs}}}
	default:
		return bson.E{Key: idPath, Value: bson.D{{Key: "$in", Value: g.IDs}}}
	}
}

// accepted says of each set whether the choice accepts it; nil if everybody is wanted.
func (g *Groups) accepted(sets []groupSet) []bool {
	if g == nil {
		return nil
	}
	accepted := make([]bool, len(sets))
	for i, set := range sets {
		accepted[i] = g.accepts(set)
	}
	return accepted
}

// paths are those of the columns that the query looks at.
func (q Query) paths() []string {
	var paths []string
	if !q.order.collated {
		paths = append(paths, q.order.path)
	}
	if q.order.flag != "" {
		paths = append(paths, q.order.flag)
	}
	for _, condition := range q.selection.values {
		paths = append(paths, condition.path)
	}
	return paths
}

func (q Query) needs() needs {
	n := needs{paths: q.paths()}
	if q.order.collated {
		n.byName = []int{q.order.direction}
	}
	return n
}

// matcher returns a function that says which rows a selection wants; ok is false if a column is missing.
func (c *contents) matcher(s selection) (matches func(slot int32) bool, ok bool) {
	columns := make([]*column, len(s.values))
	for i, condition := range s.values {
		if columns[i], ok = c.columns[condition.path]; !ok {
			return nil, false
		}
	}
	tags, sites := s.tags.accepted(c.groups.sets), s.sites.accepted(c.groups.sets)
	return func(slot int32) bool {
		row := &c.rows[slot]
		if tags != nil && !tags[row.tags] || sites != nil && !sites[row.sites] || s.usual && !row.usual {
			return false
		}
		for i, condition := range s.values {
			if !columns[i].meets(slot, condition) {
				return false
			}
		}
		return s.search == "" || strings.Contains(row.text, s.search)
	}, true
}

// page returns the ids of a page, and how many patients the query matches; ok is false if something is missing for it.
func (c *contents) page(q Query) (ids []bson.ObjectID, count int, ok bool) {
	finds, ok := c.finder(q)
	if !ok {
		return nil, 0, false
	}
	if q.order.collated {
		return c.pageByName(q, finds)
	}
	return c.pageByValue(q, finds)
}

// finder returns a function that says which rows a query wants, and whether a search has found just this one; ok is false if a
// column is missing.
func (c *contents) finder(q Query) (finds func(slot int32) (found, exact bool), ok bool) {
	matches, ok := c.matcher(q.selection)
	if q.people == nil {
		return func(slot int32) (found, exact bool) { return matches(slot), false }, ok
	}
	seeker := &seeker{people: q.people}
	return func(slot int32) (found, exact bool) {
		if !matches(slot) {
			return false, false
		}
		return seeker.meets(c.rows[slot].identity())
	}, ok
}

func (c *contents) pageByName(q Query, finds func(int32) (found, exact bool)) (ids []bson.ObjectID, count int, ok bool) {
	list, ok := c.byName[q.order.direction]
	if !ok {
		return nil, 0, false
	}
	found := inTurn[bson.ObjectID]{page: q.page}
	for _, slot := range list.slots {
		if ok, exact := finds(slot); ok {
			found.add(c.rows[slot].id, exact)
		}
	}
	return found.onPage(), found.count, true
}

func (c *contents) pageByValue(q Query, finds func(int32) (found, exact bool)) (ids []bson.ObjectID, count int, ok bool) {
	found, ok := c.ranked(q.order, finds)
	if !ok {
		return nil, 0, false
	}
	best := firsts[rank]{page: q.page, compare: q.order.compare}
	for r := range found {
		best.add(r)
	}
	for _, r := range best.onPage() {
		ids = append(ids, r.id)
	}
	return ids, best.count, true
}

// ranked yields the places in an order of the rows that are wanted; ok is false if a column is missing.
func (c *contents) ranked(o order, finds func(int32) (found, exact bool)) (ranks iter.Seq[rank], ok bool) {
	rankOf, ok := c.ranks(o)
	return func(yield func(rank) bool) {
		for _, slot := range c.slots {
			found, exact := finds(slot)
			if !found {
				continue
			}
			r := rankOf(slot)
			r.exact = exact
			if !yield(r) {
				return
			}
		}
	}, ok
}

// ranks returns the places of rows in an order; ok is false if a column is missing.
func (c *contents) ranks(o order) (rankOf func(slot int32) rank, ok bool) {
	values, ok := c.columns[o.path]
	flags := c.columns[o.flag]
	if !ok || o.flag != "" && flags == nil {
		return nil, false
	}
	return func(slot int32) rank {
		r := rank{id: c.rows[slot].id, value: values.at(slot)}
		var flag sortValue
		if flags != nil {
			flag = flags.at(slot)
		}
		r.known = o.known(r.value, flag)
		return r
	}, true
}
