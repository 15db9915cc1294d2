package roster

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// ranked returns how many patients the filter matches, of whom the query looks for, and a page of them.
func (s *Service) ranked(ctx context.Context, filter bson.D, query Query) (int, iter.Seq2[Row, error], error) {
	var count int
	var ids []bson.ObjectID
	var err error
	if query.order.collated {
		count, ids, err = s.rankByName(ctx, filter, query)
	} else {
		count, ids, err = s.rankByValue(ctx, filter, query)
	}
	if err != nil {
		return 0, nil, err
	}
	return count, s.byIDs(ctx, ids), nil
}

// rankByName leaves the comparison of names to the database.
func (s *Service) rankByName(ctx context.Context, filter bson.D, query Query) (int, []bson.ObjectID, error) {
	var cursor *mongo.Cursor
	var err error
	o, seek := query.order, newSeek(query.people)
	if query.narrow {
		cursor, err = s.collection.Aggregate(ctx, bson.A{
			bson.D{{Key: "$match", Value: filter}},
			bson.D{{Key: "$project", Value: seek.projection(bson.D{{Key: o.path, Value: 1}})}}, // before the sort, which holds all in memory
			bson.D{{Key: "$sort", Value: o.sort()}},
			bson.D{{Key: "$project", Value: seek.projection(bson.D{{Key: "_id", Value: 1}})}},
		}, options.Aggregate().SetCollation(store.IgnoreCaseAndAccents()).SetBatchSize(rankBatch))
	} else {
		cursor, err = s.find(ctx, filter, options.Find().
			SetSort(o.sort()).
			SetCollation(store.IgnoreCaseAndAccents()).
			SetProjection(seek.projection(bson.D{{Key: "_id", Value: 1}})).
			SetBatchSize(rankBatch), o.index.Name)
	}
	if err != nil {
		return 0, nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	list := inTurn[bson.ObjectID]{page: query.page}
	for cursor.Next(ctx) {
		if found, exact := seek.meets(cursor.Current); found {
			list.add(idOf(cursor.Current), exact)
		}
	}
	return list.count, list.onPage(), cursor.Err()
}

// rankByValue compares in this process: the database would sort the whole records.
func (s *Service) rankByValue(ctx context.Context, filter bson.D, query Query) (int, []bson.ObjectID, error) {
	o, seek := query.order, newSeek(query.people)
	cursor, err := s.collection.Find(ctx, filter, options.Find().SetProjection(seek.projection(o.projection())).SetBatchSize(rankBatch))
	if err != nil {
		return 0, nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	best := firsts[rank]{page: query.page, compare: o.compare}
	for cursor.Next(ctx) {
		if found, exact := seek.meets(cursor.Current); found {
			r := o.rank(cursor.Current)
			r.exact = exact
			best.add(r)
		}
	}
	var ids []bson.ObjectID
	for _, r := range best.onPage() {
		ids = append(ids, r.id)
	}
	return best.count, ids, cursor.Err()
}
