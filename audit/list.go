package audit

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Filter says which entries are listed. What is empty does not matter; a clinic or a patient there must be.
type Filter struct {
	ClinicID  *bson.ObjectID
	PatientID string
	UserID    string // who called
	Operation string
	Since     time.Time
	Until     time.Time      // not included
	Before    *bson.ObjectID // only entries older than this one
}

func (f Filter) query() bson.D {
	query := bson.D{}
	if f.ClinicID != nil {
		query = append(query, bson.E{Key: "clinicId", Value: f.ClinicID})
	}
	for _, condition := range []struct{ key, value string }{
		{"patientId", f.PatientID}, {"userId", f.UserID}, {"operation", f.Operation},
	} {
		if condition.value != "" {
			query = append(query, bson.E{Key: condition.key, Value: condition.value})
		}
	}
	var period bson.D // ids begin with the time
	if !f.Since.IsZero() {
		period = append(period, bson.E{Key: "$gte", Value: bson.NewObjectIDFromTimestamp(f.Since)})
	}
	switch {
	case f.Before != nil && (f.Until.IsZero() || f.Before.Timestamp().Before(f.Until)):
		period = append(period, bson.E{Key: "$lt", Value: f.Before})
	case !f.Until.IsZero():
		period = append(period, bson.E{Key: "$lt", Value: bson.NewObjectIDFromTimestamp(f.Until)})
	}
	if period != nil {
		query = append(query, bson.E{Key: "_id", Value: period})
	}
	return query
}

// Page returns the newest entries, at most limit, and whether there are more. What is not known to have ended is among them.
func (t *Trail) Page(ctx context.Context, filter Filter, limit int) (page []Entry, more bool, err error) {
	query, newest := filter.query(), bson.D{{Key: "_id", Value: -1}}
	// Attempts leave when their entries are there, so that whoever reads them first misses none.
	cursor, err := t.attempts.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$unwind", Value: "$entries"}},
		{{Key: "$replaceRoot", Value: bson.D{{Key: "newRoot", Value: "$entries"}}}},
		{{Key: "$match", Value: query}},
		{{Key: "$sort", Value: newest}},
		{{Key: "$limit", Value: limit + 1}},
	})
	attempted, err := entries(ctx, cursor, err)
	if err != nil {
		return nil, false, err
	}
	cursor, err = t.trail.Find(ctx, query, options.Find().SetSort(newest).SetLimit(int64(limit)+1))
	page, err = entries(ctx, cursor, err)
	if err != nil {
		return nil, false, err
	}
	page = merged(page, attempted)
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, false, nil
}

// merged adds the entries that were attempted to those of the trail, newest first. The trail knows better.
func merged(trail, attempted []Entry) []Entry {
	all := slices.Concat(trail, attempted)
	slices.SortStableFunc(all, func(a, b Entry) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return slices.CompactFunc(all, func(a, b Entry) bool { return a.ID == b.ID })
}

// entries returns what a query found.
func entries(ctx context.Context, cursor *mongo.Cursor, err error) (found []Entry, _ error) {
	for entry, err := range store.Documents[Entry](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		found = append(found, entry)
	}
	return found, nil
}
