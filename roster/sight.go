package roster

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/store"
)

// sight is what one look at the database tells about changes of a table.
type sight struct {
	at      time.Time // before it began, by the clock of the database
	changed []bson.Raw
	gone    []bson.ObjectID // who has left the clinic
	total   int
	newest  bson.ObjectID
	known   *[2]int // how many have last data, by halves; nil if nobody asked
}

func (s *sight) halvesDiffer(c *contents) bool { return s.known != nil && *s.known != c.known }

// look reads what changed since the last look, who was removed, and by how many rows to recognize that the table is right. All is asked at
// once; what is written in between is found by another look.
func (t *table) look(ctx context.Context, need needs, recount bool) (*sight, error) {
	reads, c := t.owner.reads, t.contents
	now, err := reads.database.ServerTime(ctx)
	if err != nil {
		return nil, err
	}
	seen := &sight{at: now}
	since, suspects := c.since.Add(-t.owner.overlap), t.suspects()
	projection := projectionOf(c.paths())
	var written, doubtful []bson.Raw
	var missing, recorded []bson.ObjectID
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		written, err = reads.records(groupCtx, bson.D{
			{Key: "clinicId", Value: t.clinicID}, {Key: "updatedTime", Value: bson.D{{Key: "$gte", Value: since}}},
		}, projection, tableIndex)
		return err
	})
	group.Go(func() (err error) {
		doubtful, missing, err = reads.again(groupCtx, t.clinicID, suspects, projection)
		return err
	})
	group.Go(func() (err error) {
		recorded, err = reads.removed(groupCtx, t.clinicID, since)
		return err
	})
	group.Go(func() (err error) {
		seen.total, seen.newest, err = reads.totals.look(groupCtx, t.clinicID, recount)
		return err
	})
	if need.halves() {
		seen.known = &[2]int{}
		for i := range halves {
			group.Go(func() (err error) {
				seen.known[i], err = reads.countHalf(groupCtx, t.clinicID, halves[i])
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.suspect(suspects)
		return nil, err
	}
	seen.changed = slices.Concat(written, doubtful)
	recorded = slices.DeleteFunc(recorded, func(id bson.ObjectID) bool { return !c.has(id) })
	// The record of a removal comes before it: who is still there is not gone.
	_, gone, err := reads.again(ctx, t.clinicID, recorded, bson.D{{Key: "_id", Value: 1}})
	seen.gone = slices.Concat(missing, gone)
	return seen, err
}

// records reads small documents.
func (r *tableReads) records(ctx context.Context, filter, projection bson.D, index string) ([]bson.Raw, error) {
	cursor, err := findBy(ctx, r.patients, filter, options.Find().SetProjection(projection).SetBatchSize(loadBatch), index)
	if err != nil {
		return nil, err
	}
	var found []bson.Raw
	return found, cursor.All(ctx, &found)
}

// again reads patients of a clinic by their ids, and returns who of them is not there.
func (r *tableReads) again(ctx context.Context, clinicID bson.ObjectID, ids []bson.ObjectID, projection bson.D) ([]bson.Raw, []bson.ObjectID, error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	missing := map[bson.ObjectID]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	var all []bson.Raw
	for batch := range slices.Chunk(ids, loadBatch) {
		found, err := r.records(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: batch}}}, {Key: "clinicId", Value: clinicID}}, projection, "_id_")
		if err != nil {
			return nil, nil, err
		}
		all = append(all, found...)
	}
	for _, record := range all {
		delete(missing, idOf(record))
	}
	return all, slices.Collect(maps.Keys(missing)), nil
}

// removed reads which removals of patients were recorded since a time.
func (r *tableReads) removed(ctx context.Context, clinicID bson.ObjectID, since time.Time) ([]bson.ObjectID, error) {
	cursor, err := findBy(ctx, r.deletions, bson.D{
		{Key: "deletedTime", Value: bson.D{{Key: "$gte", Value: since}}}, {Key: "patient.clinicId", Value: clinicID},
	}, options.Find().SetProjection(bson.D{{Key: "patient._id", Value: 1}}).SetBatchSize(rankBatch), "PatientDeletionByTime")
	if err != nil {
		return nil, err
	}
	var ids []bson.ObjectID
	for record, err := range store.Documents[bson.Raw](ctx, cursor, nil) {
		if err != nil {
			return nil, err
		}
		if id, ok := lookup(record, "patient._id").ObjectIDOK(); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// countHalf counts the patients with last data by the index that holds just those.
func (r *tableReads) countHalf(ctx context.Context, clinicID bson.ObjectID, half order) (int, error) {
	filter := append(bson.D{{Key: "clinicId", Value: clinicID}}, half.index.Partial...)
	n, err := r.patients.CountDocuments(ctx, filter, options.Count().SetHint(half.index.Name))
	if store.IsUnknownIndex(err) {
		n, err = r.patients.CountDocuments(ctx, filter)
	}
	return int(n), err
}
