package roster

import (
	"context"
	"iter"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// byIDs yields the patients with these ids, in this order. One that was removed meanwhile is left out.
func (s *Service) byIDs(ctx context.Context, ids []bson.ObjectID) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for batch := range slices.Chunk(ids, rowBatch) {
			records, err := s.records(ctx, batch)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for row, err := range s.rowsOf(batch, records) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// rowsOf yields the patients with these ids, in this order, from their records, if they are there.
func (s *Service) rowsOf(ids []bson.ObjectID, records map[bson.ObjectID]bson.Raw) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, id := range ids {
			record, ok := records[id]
			if !ok {
				continue
			}
			row, err := s.newRow(record)
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (s *Service) records(ctx context.Context, ids []bson.ObjectID) (map[bson.ObjectID]bson.Raw, error) {
	if len(ids) == 0 {
		return map[bson.ObjectID]bson.Raw{}, nil
	}
	cursor, err := s.collection.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, options.Find().SetBatchSize(rowBatch))
	if err != nil {
		return nil, err
	}
	var all []bson.Raw
	if err := cursor.All(ctx, &all); err != nil {
		return nil, err
	}
	return byID(all), nil
}

func byID(records []bson.Raw) map[bson.ObjectID]bson.Raw {
	found := make(map[bson.ObjectID]bson.Raw, len(records))
	for _, record := range records {
		found[idOf(record)] = record
	}
	return found
}

// cursorRows yields the patients of a cursor and closes it.
func (s *Service) cursorRows(ctx context.Context, cursor *mongo.Cursor) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		defer cursor.Close(context.WithoutCancel(ctx))
		for cursor.Next(ctx) {
			row, err := s.newRow(cursor.Current)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(Row{}, err)
		}
	}
}
