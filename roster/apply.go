package roster

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// apply puts what a look found into the table. New names are placed first, because only the database can tell where.
func (t *table) apply(ctx context.Context, seen *sight) error {
	t.owner.changes.Add(int64(len(seen.changed)))
	c := t.contents
	names, known := c.newNames(seen.changed)
	orders := map[int][]bson.ObjectID{}
	places := map[int]map[bson.ObjectID]placing{}
	for direction := range c.byName {
		if len(names) == 0 {
			break
		}
		placed, ok, err := map[bson.ObjectID]placing(nil), false, error(nil)
		if known && len(names) <= maxPlaced {
			placed, ok, err = t.place(ctx, direction, names)
		}
		if err == nil && !ok {
			orders[direction], err = t.owner.reads.readNames(ctx, t.clinicID, direction)
		}
		if err != nil {
			t.suspect(idsOf(seen.changed)) // who was suspect still is
			return err
		}
		places[direction] = placed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := map[bson.ObjectID]int32{}
	for _, record := range seen.changed {
		slots[idOf(record)] = c.put(record)
	}
	c.move(names, slots, places)
	c.remove(seen.gone)
	for direction, list := range c.byName {
		list.fresh = false
		if ids, ok := orders[direction]; ok {
			t.suspect(c.arrange(direction, ids))
		}
	}
	c.since = seen.at
	return nil
}

func idsOf(records []bson.Raw) []bson.ObjectID {
	ids := make([]bson.ObjectID, 0, len(records))
	for _, record := range records {
		ids = append(ids, idOf(record))
	}
	return ids
}

// newNames returns which records are new in the table or have a new name there; known is false if one of the names is no text, so that
// its place cannot be asked for.
func (c *contents) newNames(records []bson.Raw) (names map[bson.ObjectID]newName, known bool) {
	fresh := false
	for _, list := range c.byName {
		fresh = fresh || list.fresh
	}
	names, known = map[bson.ObjectID]newName{}, true
	for _, record := range records {
		id := idOf(record)
		if slot, ok := c.slots[id]; ok && c.hasName(record) && c.rows[slot].updated != movedMeanwhile {
			at, _ := lookup(record, "updatedTime").DateTimeOK()
			if !fresh || c.rows[slot].updated == at {
				continue
			}
		}
		text, ok := lookup(record, "fullName").StringValueOK()
		known = known && ok
		names[id] = newName{id: id, text: text}
	}
	return names, known
}

// move takes rows with new names out of the orders of names, and puts them where they were placed.
func (c *contents) move(names map[bson.ObjectID]newName, slots map[bson.ObjectID]int32, places map[int]map[bson.ObjectID]placing) {
	if len(names) == 0 {
		return
	}
	moved := map[int32]bool{}
	for id := range names {
		moved[slots[id]] = true
	}
	for direction, list := range c.byName {
		list.drop(moved)
		var placed []placing
		for id, p := range places[direction] {
			p.slot = slots[id]
			placed = append(placed, p)
		}
		list.insert(placed, c.slots)
	}
}
