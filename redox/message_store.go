package redox

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/flight"
	"github.com/tidepool-org/clinic/store"
)

// ErrMessageNotFound tells that there is no such message, or that it is of another model or event.
var ErrMessageNotFound = errs.Because("message_not_found", errs.NotFoundf("couldn't find the message"))

// OddDocuments counts stored documents whose form this service does not write.
type OddDocuments interface {
	CountOddDocument(collection string)
}

// messageStore reads messages and inserts them; it never changes one.
type messageStore struct {
	collection *mongo.Collection
	lookups    *flight.Turns[string, *bson.ObjectID] // of first deliveries, by log id
	inserts    *flight.Turns[bson.Raw, error]
	odd        OddDocuments
	log        *zap.Logger
}

func newMessageStore(d *store.Database, odd OddDocuments, log *zap.Logger) *messageStore {
	s := &messageStore{collection: d.Collection(MessagesCollectionName), odd: odd, log: log}
	s.lookups, s.inserts = flight.NewTurns(flight.Patience, s.firstDeliveries), flight.NewTurns(flight.Patience, s.insertAll)
	return s
}

// newOrder returns a stored new order, or ErrMessageNotFound.
func (s *messageStore) newOrder(ctx context.Context, id bson.ObjectID) (*storedMessage, error) {
	document, err := s.collection.FindOne(ctx, append(newOrders(), bson.E{Key: "_id", Value: id})).Raw()
	if err != nil {
		return nil, store.OneOf(err, ErrMessageNotFound, nil)
	}
	message := s.read(document)
	return &message, nil
}

// newOrders goes through stored new orders, newest first, holding a few of them. It ends with the first error.
func (s *messageStore) newOrders(ctx context.Context, filter OrderFilter) iter.Seq2[storedMessage, error] {
	period := bson.D{{Key: "$gte", Value: bson.NewObjectIDFromTimestamp(filter.Since)}}
	if filter.Before != nil {
		period = append(period, bson.E{Key: "$lt", Value: *filter.Before})
	}
	query := append(newOrders(), bson.E{Key: "_id", Value: period})
	if filter.SourceID != "" {
		query = append(query, bson.E{Key: "meta.Source.ID", Value: filter.SourceID})
	}
	cursor, err := s.collection.Find(ctx, query, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}))
	return s.each(ctx, cursor, err)
}

func newOrders() bson.D {
	return bson.D{{Key: "meta.DataModel", Value: dataModelOrder}, {Key: "meta.EventType", Value: eventTypeNew}}
}

// withIDs goes through the messages with the given ids, without order, holding a few of them. It ends with the first error.
func (s *messageStore) withIDs(ctx context.Context, ids []bson.ObjectID) iter.Seq2[storedMessage, error] {
	cursor, err := s.collection.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	return s.each(ctx, cursor, err)
}

func (s *messageStore) each(ctx context.Context, cursor *mongo.Cursor, err error) iter.Seq2[storedMessage, error] {
	return func(yield func(storedMessage, error) bool) {
		for document, err := range store.Documents[bson.Raw](ctx, cursor, err) {
			var message storedMessage
			if err == nil {
				message = s.read(document)
			}
			if !yield(message, err) {
				return
			}
		}
	}
}

// read never fails: one message that somebody else stored must not stop the orders of a clinic.
func (s *messageStore) read(document bson.Raw) storedMessage {
	message, odd := readMessage(document)
	if len(odd) > 0 {
		s.odd.CountOddDocument(MessagesCollectionName)
		s.log.Warn("a stored message of Redox has an unexpected form", zap.String("id", message.ID.Hex()), zap.Strings("members", odd))
	}
	return message
}

// replay returns the replay of a delivery, nil if there is none.
func (s *messageStore) replay(ctx context.Context, delivery bson.ObjectID) (*bson.ObjectID, error) {
	var found struct {
		ID bson.ObjectID `bson:"_id"`
	}
	err := s.collection.FindOne(ctx, bson.D{{Key: "derived.replayOf", Value: delivery}},
		options.FindOne().SetProjection(store.Ascending("_id"))).Decode(&found)
	if store.IsNotFound(err) {
		return nil, nil
	}
	return &found.ID, err
}
