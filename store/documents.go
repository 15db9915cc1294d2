package store

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Documents goes through the results of a read, holding only what the driver fetches at once, and closes the cursor. It
// takes the results of a Find or Aggregate as they are, and ends with the first error, which comes with a zero value.
func Documents[T any](ctx context.Context, cursor *mongo.Cursor, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err != nil {
			yield(none, err)
			return
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }() // it ends by itself, too
		for cursor.Next(ctx) {
			var document T
			if err := cursor.Decode(&document); err != nil {
				yield(none, err)
				return
			}
			if !yield(document, nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(none, err)
		}
	}
}

// Batches collects what a sequence yields into lists of the size, of which only the last may be shorter. It ends with the first
// error, which comes with no list.
func Batches[T any](rows iter.Seq2[T, error], size int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var batch []T
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if batch = append(batch, row); len(batch) < size {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
