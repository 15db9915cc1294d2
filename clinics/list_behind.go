package clinics

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Place is where a clinic stands in a list: the order is that of the ids.
type Place struct {
	ID bson.ObjectID `bson:"i"`
}

// EachBehind yields the page of Each behind a place, or the first one if that is nil. It returns the place behind which the next page
// is, nil if there is none. Which clinics are on the page is decided by where it ends, so that none that comes meanwhile pushes
// another one off.
func (s *Service) EachBehind(ctx context.Context, filter Filter, after *Place, limit int) (iter.Seq2[*Clinic, error], *Place, error) {
	query, between := filter.query(), bson.D{}
	if after != nil {
		between = append(between, bson.E{Key: "$gt", Value: after.ID})
		query = append(query, bson.E{Key: "_id", Value: between})
	}
	order := bson.D{{Key: "_id", Value: 1}}
	cursor, err := s.collection.Find(ctx, query, options.Find().SetSort(order).SetSkip(int64(limit-1)).SetLimit(2).SetProjection(order))
	if err != nil {
		return nil, nil, err
	}
	var ends []Clinic
	if err := cursor.All(ctx, &ends); err != nil {
		return nil, nil, err
	}
	var next *Place
	if len(ends) > 1 {
		next = &Place{ends[0].ID}
		between = append(between, bson.E{Key: "$lte", Value: next.ID})
		query = append(filter.query(), bson.E{Key: "_id", Value: between})
	}
	return func(yield func(*Clinic, error) bool) {
		cursor, err := s.collection.Find(ctx, query, options.Find().SetSort(order))
		store.Documents[*Clinic](ctx, cursor, err)(yield)
	}, next, nil
}
