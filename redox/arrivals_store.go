package redox

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Messages that arrive at about the same time share trips to the database: one that looks for earlier deliveries, and one that
// stores them.

// insert stores an encoded message.
func (s *messageStore) insert(ctx context.Context, document bson.Raw) error {
	refused, err := s.inserts.Do(ctx, "", document)
	if err != nil {
		return err
	}
	return refused
}

// insertAll stores messages, and returns for each why it was refused.
func (s *messageStore) insertAll(ctx context.Context, documents []bson.Raw) ([]error, error) {
	refused := make([]error, len(documents))
	_, err := s.collection.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	for i := range refused {
		refused[i] = store.CauseOf(err, i)
	}
	return refused, nil
}

// firstDelivery returns the oldest message that was delivered under the log id, nil if there is none. It gives up where
// the index is not built yet: reading a whole collection is no part of receiving a message.
func (s *messageStore) firstDelivery(ctx context.Context, logID string) (*bson.ObjectID, error) {
	return s.lookups.Do(ctx, "", logID)
}

// firstDeliveries returns the first delivery under each log id. Most often there is none under any of them, which takes one look.
func (s *messageStore) firstDeliveries(ctx context.Context, logIDs []string) ([]*bson.ObjectID, error) {
	found := make([]*bson.ObjectID, len(logIDs))
	if len(logIDs) > 1 {
		known, err := s.oldest(ctx, bson.D{{Key: "meta.Logs.ID", Value: bson.D{{Key: "$in", Value: logIDs}}}})
		if err != nil || known == nil {
			return found, err
		}
	}
	for i, logID := range logIDs {
		first, err := s.oldest(ctx,
			// An id of a later log is that of the delivery only if the first is empty.
			bson.D{{Key: "meta.Logs.ID", Value: logID}, {Key: "meta.Logs.0.ID", Value: bson.D{{Key: "$in", Value: bson.A{logID, "", nil}}}}})
		if err != nil {
			return nil, err
		}
		if id, ok := first.Lookup("_id").ObjectIDOK(); ok { // else it is not one of ours
			found[i] = &id
		}
	}
	return found, nil
}

// oldest returns the id of the oldest message that fits, nil if there is none.
func (s *messageStore) oldest(ctx context.Context, filter bson.D) (bson.Raw, error) {
	document, err := s.collection.FindOne(ctx, filter,
		options.FindOne().SetHint(messagesByLogID).SetSort(store.Ascending("_id")).SetProjection(store.Ascending("_id"))).Raw()
	if store.IsNotFound(err) {
		return nil, nil
	}
	return document, err
}
