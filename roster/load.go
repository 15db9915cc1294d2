package roster

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// tableReads are what tables ask the database.
type tableReads struct {
	database  *store.Database
	patients  *mongo.Collection
	deletions *mongo.Collection
	totals    *totals
}

func newTableReads(d *store.Database, totals *totals) *tableReads {
	return &tableReads{database: d, patients: d.Collection(patients.CollectionName), deletions: d.Collection(patients.DeletionsCollectionName), totals: totals}
}

const (
	// tableIndex leads to what changed lately.
	tableIndex = "PatientsByUpdate"
	// loadBatch is how many small documents are in memory while all are read.
	loadBatch = 2000
	// maxColumns bounds the columns of a table; the one that was used least lately goes. A list needs two for its order and one
	// for each filter, a report nine.
	maxColumns = 64
)

// errTooLarge tells that a table would take too much memory.
var errTooLarge = errors.New("the clinic is too large for a table")

// projectionOf names what is read of records: the facts, and columns.
func projectionOf(paths []string) bson.D {
	projection := bson.D{}
	for _, path := range withoutNested(slices.Concat(factFields, paths)) {
		projection = append(projection, bson.E{Key: path, Value: 1})
	}
	return projection
}

// withoutNested sorts paths, and drops those that stand twice or below another: a projection must not name both.
func withoutNested(paths []string) []string {
	slices.Sort(paths)
	var kept []string
	for _, path := range slices.Compact(paths) {
		if len(kept) == 0 || !strings.HasPrefix(path, kept[len(kept)-1]+".") {
			kept = append(kept, path)
		}
	}
	return kept
}

// paths are those of the columns.
func (c *contents) paths() []string {
	var paths []string
	for path := range c.columns {
		paths = append(paths, path)
	}
	return paths
}

// load reads all patients of the clinic, in the order of their names, and the columns that are needed or were in use.
func (t *table) load(ctx context.Context, need needs) error {
	total, err := t.owner.reads.totals.count(ctx, t.clinicID)
	if err != nil {
		return err
	}
	if total*(rowSize+len(need.paths)*textValueSize) > t.owner.max/2 {
		return errTooLarge
	}
	now, err := t.owner.reads.database.ServerTime(ctx) // before what is read, which may only be newer
	if err != nil {
		return err
	}
	loaded := newContents()
	for _, path := range slices.Concat(need.paths, t.contents.paths()) {
		loaded.columns[path] = newColumn(path, 0)
		loaded.columns[path].used = t.turns.started
	}
	order := nameOrder(1)
	cursor, err := findBy(ctx, t.owner.reads.patients, bson.D{{Key: "clinicId", Value: t.clinicID}}, options.Find().
		SetSort(order.sort()).SetCollation(store.IgnoreCaseAndAccents()).SetBatchSize(loadBatch).
		SetProjection(projectionOf(loaded.paths())), order.index.Name)
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	list := &nameList{fresh: true}
	for cursor.Next(ctx) {
		met := loaded.has(idOf(cursor.Current))
		slot := loaded.put(cursor.Current)
		if met { // its name changed while it was read
			loaded.rows[slot].updated = movedMeanwhile
			t.suspect([]bson.ObjectID{loaded.rows[slot].id})
		} else {
			list.slots = append(list.slots, slot)
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	loaded.byName[1], loaded.since, loaded.loaded = list, now, time.Now()
	t.mu.Lock()
	t.contents = loaded
	t.mu.Unlock()
	t.owner.loads.Add()
	return nil
}

// addColumns reads the values at the paths of all patients.
func (t *table) addColumns(ctx context.Context, paths []string) error {
	c := t.contents
	added := make([]*column, len(paths))
	projection := bson.D{}
	for i, path := range paths {
		added[i] = newColumn(path, len(c.rows))
		added[i].used = t.turns.started
		projection = append(projection, bson.E{Key: path, Value: 1})
	}
	cursor, err := t.owner.reads.patients.Find(ctx, bson.D{{Key: "clinicId", Value: t.clinicID}},
		options.Find().SetProjection(projection).SetBatchSize(loadBatch))
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	met := make([]bool, len(c.rows))
	for cursor.Next(ctx) {
		if slot, ok := c.slots[idOf(cursor.Current)]; ok {
			met[slot] = true
			for _, column := range added {
				column.set(slot, readValue(cursor.Current, column.path))
			}
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	for id, slot := range c.slots {
		if !met[slot] {
			t.suspect([]bson.ObjectID{id})
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, path := range paths {
		c.columns[path] = added[i]
	}
	c.forget(maxColumns, t.turns.started)
	t.owner.columns.Add()
	return nil
}

// forget drops the columns that were used least lately, but none that the turn needs, until there are no more than so many.
func (c *contents) forget(most int, turn int64) {
	paths := slices.SortedFunc(slices.Values(c.paths()), func(a, b string) int { return cmp.Compare(c.columns[a].used, c.columns[b].used) })
	for _, path := range paths {
		if len(c.columns) <= most || c.columns[path].used == turn {
			return
		}
		delete(c.columns, path)
	}
}

// ids reads the ids of all patients of a clinic.
func (r *tableReads) ids(ctx context.Context, clinicID bson.ObjectID) ([]bson.ObjectID, error) {
	cursor, err := findBy(ctx, r.patients, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().
		SetProjection(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(rankBatch), "PatientsByCreation")
	return allIDs(ctx, cursor, err)
}
