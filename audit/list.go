package audit

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
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
	var query bson.D
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

// Page returns the newest entries, at most limit, and whether there are more.
func (t *Trail) Page(ctx context.Context, filter Filter, limit int) (page []Entry, more bool, err error) {
	cursor, err := t.collection.Find(ctx, filter.query(), options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(limit)+1))
	for entry, err := range store.Documents[Entry](ctx, cursor, err) {
		if err != nil {
			return nil, false, err
		}
		if len(page) == limit {
			return page, true, nil
		}
		page = append(page, entry)
	}
	return page, false, nil
}
