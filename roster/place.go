package roster

import (
	"hash/maphash"
	"iter"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// Place is where a patient stands in the order of a list, so that another page can begin behind it, whatever has become of the
// patient. It holds data of the patient: who hands it out has to encrypt it.
type Place struct {
	ID     bson.ObjectID `bson:"i"`
	Exact  bool          `bson:"e,omitempty"` // whether a search had found just this patient, which comes before all order
	Known  int8          `bson:"k,omitempty"`
	Class  int8          `bson:"c,omitempty"` // 0 in an order by names: there is no name
	Number float64       `bson:"n,omitempty"`
	Text   string        `bson:"t,omitempty"`
	// Bound tells that the place is where the patient stands now: the value is too long to be kept, or cannot be compared.
	Bound bool `bson:"b,omitempty"`
}

// maxPlaceText is how long, in bytes, a text in a place may be.
const maxPlaceText = 1000

var errPlaceGone = errs.Because("cursor_gone", errs.BadRequestf("the patient with whom the page before ended is gone or has another name: begin anew"))

// Behind returns the query for the page behind a place, or for the first one if that is nil. The rows of its list have places,
// and its offset has to be 0.
func (q Query) Behind(place *Place) Query {
	q.placed, q.after = true, place
	return q
}

// named is a row of an order by names.
type named struct {
	id    bson.ObjectID
	name  uint64 // as nameOf returns it
	kind  nameKind
	found bool // whether the query wants it
	exact bool
}

// chosen is a page with what tells the places of its rows.
type chosen struct {
	ids          []bson.ObjectID
	values       map[bson.ObjectID]rank  // of an order by a value
	names        map[bson.ObjectID]named // of an order by names
	count, total int
	more         bool // whether there is a page behind it
}

// behindValues chooses the page from rows in any order; after is nil at the beginning.
func (q Query) behindValues(rows iter.Seq[rank], after *rank) *chosen {
	best := firsts[rank]{page: store.Page{Limit: q.page.Limit + 1}, compare: q.order.compare}
	page := &chosen{values: map[bson.ObjectID]rank{}}
	for row := range rows {
		page.count++
		if after == nil || q.order.compare(row, *after) > 0 {
			best.add(row)
		}
	}
	found := best.onPage()
	page.more = len(found) > q.page.Limit
	for _, row := range found[:min(len(found), q.page.Limit)] {
		page.ids = append(page.ids, row.id)
		page.values[row.id] = row
	}
	return page
}

// behindNames chooses the page from all rows in order, wanted or not. It returns nil if the start was not among them.
func (q Query) behindNames(rows iter.Seq[named], start *nameStart) *chosen {
	page := &chosen{names: map[bson.ObjectID]named{}}
	var exacts, others []named
	for row := range rows {
		behind := start.isBehind(row)
		if !row.found {
			continue
		}
		page.count++
		switch {
		case q.after != nil && row.exact == q.after.Exact && !behind, q.after != nil && row.exact && !q.after.Exact:
		case row.exact:
			exacts = append(exacts, row)
		default:
			others = append(others, row)
		}
	}
	if !start.isMet() {
		return nil
	}
	found := slices.Concat(exacts, others)
	page.more = len(found) > q.page.Limit
	for _, row := range found[:min(len(found), q.page.Limit)] {
		page.ids = append(page.ids, row.id)
		page.names[row.id] = row
	}
	return page
}

// place returns the place of a row that was read after it was chosen, nil if it has another name by now.
func (c *chosen) place(row Row) *Place {
	id := row.Patient.ID
	if v, ok := c.values[id]; ok {
		p := &Place{ID: id, Exact: v.exact, Known: v.known, Class: v.value.class, Number: v.value.number, Text: v.value.text}
		if len(p.Text) > maxPlaceText {
			p.Text, p.Bound = "", true
		}
		return p
	}
	chosen, name := c.names[id], row.Patient.FullName
	p := &Place{ID: id, Exact: chosen.exact}
	switch {
	case chosen.kind == oddName:
		p.Bound = true
	case chosen.kind == noName && name == nil:
	case chosen.kind == textName && name != nil && nameOfText(*name) == chosen.name:
		p.Class, p.Text = classes[bson.TypeString], *name
		if len(p.Text) > maxPlaceText {
			p.Text, p.Bound = "", true
		}
	default:
		return nil
	}
	return p
}

// rank returns the place in an order by a value, nil for none.
func (p *Place) rank() *rank {
	if p == nil {
		return nil
	}
	return &rank{exact: p.Exact, known: p.Known, value: sortValue{class: p.Class, number: p.Number, text: p.Text}, id: p.ID}
}

// isNamed reports whether a name is the one of the place.
func (p *Place) isNamed(name uint64, kind nameKind) bool {
	switch {
	case p.Bound:
		return true
	case p.Class == 0:
		return kind == noName
	default:
		return kind == textName && name == nameOfText(p.Text)
	}
}

// nameOfText returns what nameOf returns for a record with this name.
func nameOfText(text string) uint64 {
	_, stored, _ := bson.MarshalValue(text) // a text can always be stored
	return maphash.Bytes(nameSeed, stored)
}
