package redox

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// scheduledOrder asks the worker to send the reports of a patient again. COMPAT: it is never updated, as a message.
type scheduledOrder struct {
	ID                bson.ObjectID `bson:"_id"`
	UserID            string        `bson:"userId"`
	ClinicID          bson.ObjectID `bson:"clinicId"`
	CreatedTime       time.Time     `bson:"createdTime"`
	LastMatchedOrder  messageCopy   `bson:"lastMatchedOrder"`
	PrecedingDocument *scheduledRef `bson:"precedingDocument,omitempty"`
}

// messageCopy is a message as it is copied into a scheduled order. What this service added for itself stays behind.
type messageCopy struct {
	ID      bson.ObjectID `bson:"_id"`
	Meta    bson.Raw      `bson:"meta"`
	Content bson.Raw      `bson:"message"`
}

// scheduledRef refers to a scheduled order.
type scheduledRef struct {
	ID          bson.ObjectID `bson:"_id"`
	CreatedTime time.Time     `bson:"createdTime"`
}

// scheduleStore reads scheduled orders and inserts them; it never changes one.
type scheduleStore struct{ collection *mongo.Collection }

func newScheduleStore(d *store.Database) *scheduleStore {
	return &scheduleStore{d.Collection(ScheduledCollectionName)}
}

// newest returns the newest scheduled order of each message that has one.
func (s *scheduleStore) newest(ctx context.Context, messages []bson.ObjectID) (map[bson.ObjectID]scheduledRef, error) {
	// Sorted and grouped like this, the database reads one entry of the index for each message.
	cursor, err := s.collection.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "lastMatchedOrder._id", Value: bson.D{{Key: "$in", Value: messages}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "lastMatchedOrder._id", Value: 1}, {Key: "createdTime", Value: -1}}}},
		{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: "$lastMatchedOrder._id"},
			{Key: "id", Value: bson.D{{Key: "$first", Value: "$_id"}}},
			{Key: "createdTime", Value: bson.D{{Key: "$first", Value: "$createdTime"}}},
		}}},
	})
	newest := make(map[bson.ObjectID]scheduledRef, len(messages))
	for entry, err := range store.Documents[bson.Raw](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		message, isMessage := entry.Lookup("_id").ObjectIDOK()
		id, isID := entry.Lookup("id").ObjectIDOK()
		created, isTime := entry.Lookup("createdTime").TimeOK()
		if isMessage && isID && isTime { // else it is nothing that a document could refer to
			newest[message] = scheduledRef{ID: id, CreatedTime: created.UTC()}
		}
	}
	return newest, nil
}

// insert stores encoded documents and returns how many were stored.
func (s *scheduleStore) insert(ctx context.Context, documents []any) (int, error) {
	result, err := s.collection.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	if result == nil {
		return 0, err
	}
	return len(result.InsertedIDs), err
}
