package roster

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// selection is what a table must know to choose the patients of a list; the conditions of a query say the same to the database.
type selection struct {
	search string // folded; "" if there is none
	tags   *groupChoice
	sites  *groupChoice
	usual  bool // only patients whose glucose is judged by the usual ranges
	values []valueCondition
	// reviewed tells that reviews matter, of which a table does not know: they change without a trace in updatedTime.
	reviewed bool
}

// groupChoice wants patients with tags or sites; without ids, those who have none.
type groupChoice struct {
	ids []bson.ObjectID
	all bool // whether they must have all of the ids
}

func (g *groupChoice) accepts(set groupSet) bool {
	if len(g.ids) == 0 {
		return set.none
	}
	has := func(id bson.ObjectID) bool { return slices.Contains(set.ids, id) }
	if g.all {
		return !slices.ContainsFunc(g.ids, func(id bson.ObjectID) bool { return !has(id) })
	}
	return slices.ContainsFunc(g.ids, has)
}

// accepted says of each set whether the choice accepts it; nil if everybody is wanted.
func (g *groupChoice) accepted(sets []groupSet) []bool {
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
	matches, ok := c.matcher(q.selection)
	if !ok {
		return nil, 0, false
	}
	var slots []int32
	if q.order.collated {
		slots, count, ok = c.pageByName(q, matches)
	} else {
		slots, count, ok = c.pageByValue(q, matches)
	}
	for _, slot := range slots {
		ids = append(ids, c.rows[slot].id)
	}
	return ids, count, ok
}

func (c *contents) pageByName(q Query, matches func(int32) bool) (slots []int32, count int, ok bool) {
	list, ok := c.byName[q.order.direction]
	if !ok {
		return nil, 0, false
	}
	for _, slot := range list.slots {
		if !matches(slot) {
			continue
		}
		if count >= q.page.Offset && len(slots) < q.page.Limit {
			slots = append(slots, slot)
		}
		count++
	}
	return slots, count, true
}

func (c *contents) pageByValue(q Query, matches func(int32) bool) (slots []int32, count int, ok bool) {
	compare, ok := c.comparison(q.order)
	if !ok {
		return nil, 0, false
	}
	best := firsts[int32]{page: q.page, compare: compare}
	for _, slot := range c.slots {
		if matches(slot) {
			best.add(slot)
		}
	}
	return best.onPage(), best.count, true
}

// comparison returns how two rows compare in an order.
func (c *contents) comparison(o order) (compare func(a, b int32) int, ok bool) {
	rankOf, ok := c.ranks(o)
	return func(a, b int32) int { return o.compare(rankOf(a), rankOf(b)) }, ok
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
