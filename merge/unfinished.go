package merge

import (
	"context"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Unfinished is a merge that is not complete, as operators look at it.
type Unfinished struct {
	ID        bson.ObjectID
	SourceID  bson.ObjectID
	TargetID  bson.ObjectID
	State     string
	StepsLeft int64
	// HeldUntil is until when a process works on it, by the clock of the database. It is in the past if none does.
	HeldUntil time.Time
}

// Unfinished returns the merges that are not complete, oldest first.
func (s *Service) Unfinished(ctx context.Context) iter.Seq2[Unfinished, error] {
	return func(yield func(Unfinished, error) bool) {
		cursor, err := s.merges.Find(ctx, bson.D{}, options.Find().SetSort(store.Ascending("_id")))
		for open, err := range store.Documents[openMerge](ctx, cursor, err) {
			if err != nil {
				yield(Unfinished{}, err)
				return
			}
			left, err := s.steps.CountDocuments(ctx, bson.D{{Key: "mergeId", Value: open.ID}})
			u := Unfinished{
				ID: open.ID, SourceID: open.SourceID, TargetID: open.TargetID, State: string(open.State), StepsLeft: left, HeldUntil: open.HeldUntil,
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// OpenForm returns a new value into which a document of OpenMergesCollectionName can be decoded, for who checks documents.
func OpenForm() any { return &openMerge{} }
