package roster

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// ranked returns how many patients the filter matches, and a page of them. Narrow tells that an index leads to few of them.
func (s *Service) ranked(ctx context.Context, filter bson.D, o order, page store.Page, narrow bool) (int, iter.Seq2[Row, error], error) {
	var count int
	var ids []bson.ObjectID
	var err error
	if o.collated {
		count, ids, err = s.rankByName(ctx, filter, o, page, narrow)
	} else {
		count, ids, err = s.rankByValue(ctx, filter, o, page)
	}
	if err != nil {
		return 0, nil, err
	}
	return count, s.byIDs(ctx, ids), nil
}

// rankByName leaves the comparison of names to the database.
func (s *Service) rankByName(ctx context.Context, filter bson.D, o order, page store.Page, narrow bool) (int, []bson.ObjectID, error) {
	var cursor *mongo.Cursor
	var err error
	if narrow {
		cursor, err = s.collection.Aggregate(ctx, bson.A{
			bson.D{{Key: "$match", Value: filter}},
			bson.D{{Key: "$project", Value: bson.D{{Key: o.path, Value: 1}}}}, // before the sort, which holds all in memory
			bson.D{{Key: "$sort", Value: o.sort()}},
			bson.D{{Key: "$project", Value: bson.D{{Key: "_id", Value: 1}}}},
		}, options.Aggregate().SetCollation(store.IgnoreCaseAndAccents()).SetBatchSize(rankBatch))
	} else {
		cursor, err = s.find(ctx, filter, options.Find().
			SetSort(o.sort()).
			SetCollation(store.IgnoreCaseAndAccents()).
			SetProjection(bson.D{{Key: "_id", Value: 1}}).
			SetBatchSize(rankBatch), o.index.Name)
	}
	if err != nil {
		return 0, nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var ids []bson.ObjectID
	count := 0
	for ; cursor.Next(ctx); count++ {
		if count >= page.Offset && len(ids) < page.Limit {
			ids = append(ids, cursor.Current.Lookup("_id").ObjectID())
		}
	}
	return count, ids, cursor.Err()
}

// rankByValue compares in this process: the database would sort the whole records.
func (s *Service) rankByValue(ctx context.Context, filter bson.D, o order, page store.Page) (int, []bson.ObjectID, error) {
	cursor, err := s.collection.Find(ctx, filter, options.Find().SetProjection(o.projection()).SetBatchSize(rankBatch))
	if err != nil {
		return 0, nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	best := firsts[rank]{page: page, compare: o.compare}
	for cursor.Next(ctx) {
		best.add(o.rank(cursor.Current))
	}
	var ids []bson.ObjectID
	for _, r := range best.onPage() {
		ids = append(ids, r.id)
	}
	return best.count, ids, cursor.Err()
}
