package roster

import (
	"bytes"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/flight"
)

// table keeps, of all patients of a clinic, what lists are filtered and ordered by, so that no large record need be opened for
// that. Before each use it is brought up to date; see turn.go.
type table struct {
	clinicID bson.ObjectID
	owner    *tables
	turns    turns

	mu       sync.RWMutex // over what is in the contents; only whoever has the turn writes
	contents *contents

	used int64     // by the clock of the tables
	size tableSize // as the tables count it
}

type tableSize struct{ rows, bytes int }

// contents are the rows of a table. A row has its slot for as long as the patient is there.
type contents struct {
	loaded  time.Time // when all records were read; zero if they never were
	since   time.Time // by the clock of the database: what was written before is here, unless it came late
	rows    []facts
	slots   map[bson.ObjectID]int32
	free    []int32 // slots without a row
	groups  groupSets
	columns map[string]*column
	byName  map[int]*nameList // by direction
	known   [2]int            // how many rows have last data, by halves
	kinds   [3]int            // how many rows have a name of each kind
}

func newContents() *contents {
	return &contents{slots: map[bson.ObjectID]int32{}, groups: newGroupSets(), columns: map[string]*column{}, byName: map[int]*nameList{}}
}

func newTable(clinicID bson.ObjectID, owner *tables) *table {
	t := &table{clinicID: clinicID, owner: owner, contents: newContents()}
	t.turns.line, t.turns.suspects = flight.NewTurns(0, t.turn), map[bson.ObjectID]bool{}
	return t
}

// put stores what a record says, and returns its slot.
func (c *contents) put(record bson.Raw) int32 {
	now := c.groups.readFacts(record)
	slot, known := c.slots[now.id]
	switch {
	case known:
		c.count(c.rows[slot], -1)
		c.rows[slot] = now
	case len(c.free) > 0:
		slot = c.free[len(c.free)-1]
		c.free = c.free[:len(c.free)-1]
		c.rows[slot] = now
	default:
		slot = int32(len(c.rows)) //nolint:gosec // a clinic has fewer patients
		c.rows = append(c.rows, now)
	}
	c.slots[now.id] = slot
	c.count(now, 1)
	for _, column := range c.columns {
		column.set(slot, readValue(record, column.path))
	}
	return slot
}

func (c *contents) count(f facts, by int) {
	for i, known := range f.known {
		if known {
			c.known[i] += by
		}
	}
	c.kinds[f.kind] += by
}

// remove forgets patients.
func (c *contents) remove(ids []bson.ObjectID) {
	gone := map[int32]bool{}
	for _, id := range ids {
		slot, ok := c.slots[id]
		if !ok {
			continue
		}
		gone[slot] = true
		c.count(c.rows[slot], -1)
		c.rows[slot] = facts{}
		delete(c.slots, id)
		c.free = append(c.free, slot)
	}
	if len(gone) > 0 {
		for _, list := range c.byName {
			list.drop(gone)
		}
	}
}

// agrees reports whether a record is what the table knows of it, for the columns at the paths. A record that was written since,
// as its updatedTime tells, is not compared.
func (c *contents) agrees(record bson.Raw, paths []string) bool {
	slot, ok := c.slots[idOf(record)]
	if !ok {
		return false
	}
	known := c.rows[slot]
	if at, _ := lookup(record, "updatedTime").DateTimeOK(); at != known.updated {
		return true
	}
	for i, path := range halfFlags {
		if isTrue(record, path) != known.known[i] {
			return false
		}
	}
	for _, path := range paths {
		column := c.columns[path]
		if column != nil && !column.equals(slot, readValue(record, column.path)) {
			return false
		}
	}
	return true
}

func (c *contents) has(id bson.ObjectID) bool {
	_, ok := c.slots[id]
	return ok
}

// before orders rows by their ids.
func (c *contents) before(a, b int32) int { return bytes.Compare(c.rows[a].id[:], c.rows[b].id[:]) }

// size estimates the memory that the contents take, in bytes.
func (c *contents) size() int {
	size := len(c.rows) * rowSize
	for _, column := range c.columns {
		size += column.size()
	}
	for _, list := range c.byName {
		size += len(list.slots) * 4
	}
	for _, set := range c.groups.sets {
		size += groupSetSize + 2*len(set.ids)*len(bson.ObjectID{})
	}
	return size
}
