package redox

import (
	"context"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	// MessagesCollectionName is the collection of messages as they were received.
	MessagesCollectionName = "redox"
	// ScheduledCollectionName is the collection of orders that the worker is to report on again.
	ScheduledCollectionName = "scheduledSummaryAndReportsOrders"
	// scheduledLifetime is how long a scheduled order is kept, in seconds: 90 days.
	scheduledLifetime = 90 * 24 * 60 * 60
	messagesByLogID   = "MessagesByLogID"
)

// ErrMessageNotFound tells that there is no such message, or that it is of another model or event.
var ErrMessageNotFound = errs.NotFoundf("couldn't find the message")

// Indexes returns the indexes of the collections of this package. COMPAT: the first two of the messages name members that no
// document has, and help nobody; deployed databases have them, and a name cannot be used again for other keys.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: MessagesCollectionName, Indexes: []store.Index{
			{Name: "MetadataLogsId", Keys: store.Ascending("meta.Logs.Id"), Old: true},
			{Name: "MetadataSource", Keys: store.Ascending("meta.Source.Id", "meta.FacilityCode"), Old: true},
			{Name: messagesByLogID, Keys: store.Ascending("meta.Logs.ID")},
			{Name: "MessagesBySource", Keys: store.Ascending("meta.Source.ID", "meta.FacilityCode")},
		}},
		{Collection: ScheduledCollectionName, Indexes: []store.Index{
			{Name: "LastMatchedOrderByID", Keys: bson.D{{Key: "lastMatchedOrder._id", Value: 1}, {Key: "createdTime", Value: -1}}},
			{Name: "CleanupExpiredRescheduledOrdersAfter90d", Keys: store.Ascending("createdTime"), ExpireSeconds: scheduledLifetime},
		}},
	}
}

// Repository reads and writes messages and scheduled orders. It inserts only.
type Repository struct {
	messages  *mongo.Collection
	scheduled *mongo.Collection
}

// NewRepository returns the messages and scheduled orders of the database.
func NewRepository(d *store.Database) *Repository {
	return &Repository{messages: d.Collection(MessagesCollectionName), scheduled: d.Collection(ScheduledCollectionName)}
}

// insert stores an encoded message.
func (r *Repository) insert(ctx context.Context, document bson.Raw) error {
	_, err := r.messages.InsertOne(ctx, document)
	return err
}

// newOrder returns a stored new order, or ErrMessageNotFound.
func (r *Repository) newOrder(ctx context.Context, id bson.ObjectID) (*Message, error) {
	var message Message
	err := r.messages.FindOne(ctx, append(newOrders(), bson.E{Key: "_id", Value: id})).Decode(&message)
	if err != nil {
		return nil, store.OneOf(err, ErrMessageNotFound, nil)
	}
	return &message, nil
}

func newOrders() bson.D {
	return bson.D{{Key: "meta.DataModel", Value: dataModelOrder}, {Key: "meta.EventType", Value: eventTypeNew}}
}

// firstDelivery returns the oldest message that was delivered under the log id, nil if there is none. It gives up where
// the index is not built yet: reading a whole collection is no part of receiving a message.
func (r *Repository) firstDelivery(ctx context.Context, logID string) (*bson.ObjectID, error) {
	var found struct {
		ID bson.ObjectID `bson:"_id"`
	}
	err := r.messages.FindOne(ctx,
		bson.D{{Key: "meta.Logs.ID", Value: logID}, {Key: "meta.Logs.0.ID", Value: logID}},
		options.FindOne().SetHint(messagesByLogID).SetSort(store.Ascending("_id")).SetProjection(store.Ascending("_id")),
	).Decode(&found)
	if store.IsNotFound(err) {
		return nil, nil
	}
	return &found.ID, err
}

// storedMessage is a message as it is copied into a scheduled order. What this service added for itself stays behind.
type storedMessage struct {
	ID      bson.ObjectID `bson:"_id"`
	Meta    bson.Raw      `bson:"meta"`
	Content bson.Raw      `bson:"message"`
}

// each goes through the messages with the given ids, without order, holding a few of them. It ends with the first error.
func (r *Repository) each(ctx context.Context, ids []bson.ObjectID) iter.Seq2[storedMessage, error] {
	cursor, err := r.messages.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	return store.Documents[storedMessage](ctx, cursor, err)
}

// scheduledRef refers to a scheduled order.
type scheduledRef struct {
	ID          bson.ObjectID `bson:"_id"`
	CreatedTime time.Time     `bson:"createdTime"`
}

// newestScheduled returns the newest scheduled order of each message that has one.
func (r *Repository) newestScheduled(ctx context.Context, messages []bson.ObjectID) (map[bson.ObjectID]scheduledRef, error) {
	// Sorted and grouped like this, the database reads one entry of the index for each message.
	cursor, err := r.scheduled.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "lastMatchedOrder._id", Value: bson.D{{Key: "$in", Value: messages}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "lastMatchedOrder._id", Value: 1}, {Key: "createdTime", Value: -1}}}},
		{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: "$lastMatchedOrder._id"},
			{Key: "id", Value: bson.D{{Key: "$first", Value: "$_id"}}},
			{Key: "createdTime", Value: bson.D{{Key: "$first", Value: "$createdTime"}}},
		}}},
	})
	if err != nil {
		return nil, err
	}
	var found []struct {
		Message     bson.ObjectID `bson:"_id"`
		ID          bson.ObjectID `bson:"id"`
		CreatedTime time.Time     `bson:"createdTime"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	newest := make(map[bson.ObjectID]scheduledRef, len(found))
	for _, entry := range found {
		newest[entry.Message] = scheduledRef{ID: entry.ID, CreatedTime: entry.CreatedTime}
	}
	return newest, nil
}
