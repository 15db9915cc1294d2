package roster

import (
	"context"
	"iter"
	"slices"

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
	seek := newSeek(query.people)
	cursor, err := s.inNameOrder(ctx, filter, query, seek.projection(bson.D{{Key: "_id", Value: 1}}))
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

// inNameOrder reads some fields of all patients whom the filter finds, in the order of their names.
func (s *Service) inNameOrder(ctx context.Context, filter bson.D, query Query, fields bson.D) (*mongo.Cursor, error) {
	o := query.order
	if !query.narrow {
		return s.find(ctx, filter, options.Find().
			SetSort(o.sort()).
			SetCollation(store.IgnoreCaseAndAccents()).
			SetProjection(fields).
			SetBatchSize(rankBatch), o.index.Name)
	}
	sorted := append(bson.D{{Key: o.path, Value: 1}}, slices.DeleteFunc(slices.Clone(fields), func(e bson.E) bool { return e.Key == o.path })...)
	return s.collection.Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: filter}},
		bson.D{{Key: "$project", Value: sorted}}, // before the sort, which holds all in memory
		bson.D{{Key: "$sort", Value: o.sort()}},
		bson.D{{Key: "$project", Value: fields}},
	}, options.Aggregate().SetCollation(store.IgnoreCaseAndAccents()).SetBatchSize(rankBatch))
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
