package roster

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// nameList has the slots of all patients in the order of names, as the database gives it: only the database knows how it
// compares names. Equal names are in the order of their ids, so that each direction has a list of its own.
type nameList struct {
	slots []int32
	// fresh tells that rows were not brought up to date since the order was read. Who changed meanwhile may stand where the name of
	// before belongs.
	fresh bool
}

func (l *nameList) drop(gone map[int32]bool) {
	l.slots = slices.DeleteFunc(l.slots, func(slot int32) bool { return gone[slot] })
}

const (
	// maxPlaced is for how many new names their places are asked for one by one; if there are more, the whole order is read.
	maxPlaced = 40
	// placeSlack is how many unusable patients may follow a new name before the whole order is read.
	placeSlack = 10
)

// placing is the place of a new name: before the row in the slot, or at the end.
type placing struct {
	slot   int32
	before bson.ObjectID
	end    bool
	rank   int // how many other new names stand between
}

// newName is a patient who is new in a table, or has a new name there.
type newName struct {
	id   bson.ObjectID
	text string
}

// place returns the place of each new name in the order of a direction; ok is false if that has to be read as a whole.
func (t *table) place(ctx context.Context, direction int, names map[bson.ObjectID]newName) (placed map[bson.ObjectID]placing, ok bool, err error) {
	placed = map[bson.ObjectID]placing{}
	for _, name := range names {
		p, ok, err := t.placeOf(ctx, direction, name, names)
		if err != nil || !ok {
			return nil, false, err
		}
		placed[name.id] = p
	}
	return placed, true, nil
}

func (t *table) placeOf(ctx context.Context, direction int, name newName, others map[bson.ObjectID]newName) (placing, bool, error) {
	after := "$gt"
	if direction < 0 {
		after = "$lt"
	}
	limit := len(others) + placeSlack
	between := 0
	for _, filter := range []bson.D{
		{{Key: "clinicId", Value: t.clinicID}, {Key: "fullName", Value: name.text}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: name.id}}}},
		{{Key: "clinicId", Value: t.clinicID}, {Key: "fullName", Value: bson.D{{Key: after, Value: name.text}}}},
	} {
		followers, err := t.owner.reads.namesBy(ctx, filter, nameOrder(direction), limit)
		if err != nil {
			return placing{}, false, err
		}
		for _, follower := range followers {
			id := idOf(follower)
			if _, ok := others[id]; ok {
				between++
			} else if t.contents.hasName(follower) {
				return placing{before: id, rank: between}, true, nil
			}
		}
		if len(followers) == limit {
			return placing{}, false, nil
		}
	}
	// Nobody follows among texts. Other types of names follow, or do not.
	last := t.contents.kinds[oddName] == 0 && (direction > 0 || t.contents.kinds[noName] == 0)
	return placing{end: true, rank: between}, last, nil
}

// hasName reports whether the table knows the patient under the name of the record.
func (c *contents) hasName(record bson.Raw) bool {
	slot, ok := c.slots[idOf(record)]
	if !ok {
		return false
	}
	name, kind := nameOf(record)
	return c.rows[slot].name == name && c.rows[slot].kind == kind
}

// insert puts new names, which are in no place, into the list.
func (l *nameList) insert(placed []placing, slots map[bson.ObjectID]int32) {
	before := map[int32][]placing{}
	var last []placing
	for _, p := range placed {
		if p.end {
			last = append(last, p)
		} else if slot, ok := slots[p.before]; ok {
			before[slot] = append(before[slot], p)
		}
	}
	inOrder := func(list []placing) {
		slices.SortFunc(list, func(a, b placing) int { return cmp.Compare(b.rank, a.rank) })
	}
	merged := make([]int32, 0, len(l.slots)+len(placed))
	for _, slot := range l.slots {
		list := before[slot]
		inOrder(list)
		for _, p := range list {
			merged = append(merged, p.slot)
		}
		merged = append(merged, slot)
	}
	inOrder(last)
	for _, p := range last {
		merged = append(merged, p.slot)
	}
	l.slots = merged
}

// namesBy reads names in their order.
func (r *tableReads) namesBy(ctx context.Context, filter bson.D, o order, limit int) ([]bson.Raw, error) {
	cursor, err := findBy(ctx, r.patients, filter, options.Find().
		SetSort(o.sort()).SetCollation(store.IgnoreCaseAndAccents()).SetLimit(int64(limit)).SetBatchSize(rankBatch).
		SetProjection(bson.D{{Key: "fullName", Value: 1}}), o.index.Name)
	if err != nil {
		return nil, err
	}
	var found []bson.Raw
	return found, cursor.All(ctx, &found)
}

// readNames reads the ids of all patients of the clinic in the order of names.
func (r *tableReads) readNames(ctx context.Context, clinicID bson.ObjectID, direction int) ([]bson.ObjectID, error) {
	o := nameOrder(direction)
	cursor, err := findBy(ctx, r.patients, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().
		SetSort(o.sort()).SetCollation(store.IgnoreCaseAndAccents()).SetBatchSize(rankBatch).
		SetProjection(bson.D{{Key: "_id", Value: 1}}), o.index.Name)
	return allIDs(ctx, cursor, err)
}

func allIDs(ctx context.Context, cursor *mongo.Cursor, err error) ([]bson.ObjectID, error) {
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var ids []bson.ObjectID
	for cursor.Next(ctx) {
		ids = append(ids, idOf(cursor.Current))
	}
	return ids, cursor.Err()
}

// arrange makes the list of ids in the order of names the list of a direction. Who was not met moved while the order was read, or is gone:
// they stand last, and are returned to be looked at again.
func (c *contents) arrange(direction int, ids []bson.ObjectID) []bson.ObjectID {
	list := &nameList{slots: make([]int32, 0, len(c.slots)), fresh: true}
	met := make([]bool, len(c.rows))
	for _, id := range ids {
		if slot, ok := c.slots[id]; ok && !met[slot] {
			met[slot] = true
			list.slots = append(list.slots, slot)
		}
	}
	var missing []bson.ObjectID
	for id, slot := range c.slots {
		if !met[slot] {
			list.slots = append(list.slots, slot)
			c.rows[slot].updated = movedMeanwhile
			missing = append(missing, id)
		}
	}
	c.byName[direction] = list
	return missing
}

// movedMeanwhile stands for the updatedTime of a row whose place is not known, so that it is looked for.
const movedMeanwhile = -1
