package patients

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// batchSize bounds how many patients one write changes. Each of them is entered into many indexes: a write that changes all
// patients of a large clinic would keep everybody else of the clinic waiting, and run into the time that an operation has.
var batchSize = 500 // tests make do with fewer

// change makes a change in those of the patients who need it, and returns the difference for the census. It may run twice.
type change func(ctx context.Context, who bson.D) (census.Count, error)

// changeAllButFew makes a change in those of the patients who are left to be changed, in batches, if they are too many for one
// step. The step that has to follow, together with what else belongs to it, finds those who came meanwhile.
func (s *Service) changeAllButFew(ctx context.Context, clinicID bson.ObjectID, who, left bson.D, make change) error {
	return s.eachBatch(ctx, left, func(batch []bson.ObjectID) error {
		some := among(who, batch)
		return s.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) { return make(ctx, some) })
	})
}

// eachBatch does something for the records that are left, in batches, unless they are few enough for one step.
func (s *Service) eachBatch(ctx context.Context, left bson.D, do func(batch []bson.ObjectID) error) error {
	ids, err := s.idsOf(ctx, left)
	if err != nil || len(ids) <= batchSize {
		return err
	}
	for batch := range slices.Chunk(ids, batchSize) {
		if err := do(batch); err != nil {
			return err
		}
	}
	return nil
}

// among returns those of the patients whose records have these ids.
func among(who bson.D, ids []bson.ObjectID) bson.D {
	return and(who, bson.E{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}})
}

// idsOf returns the ids of the records that match.
func (s *Service) idsOf(ctx context.Context, who bson.D) ([]bson.ObjectID, error) {
	return s.someIDsOf(ctx, who, 0)
}

// someIDsOf returns as many of the ids of the records that match; 0 stands for all.
func (s *Service) someIDsOf(ctx context.Context, who bson.D, most int) ([]bson.ObjectID, error) {
	cursor, err := s.collection.Find(ctx, who, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(most)))
	var ids []bson.ObjectID
	for record, err := range store.Documents[struct {
		ID bson.ObjectID `bson:"_id"`
	}](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, record.ID)
	}
	return ids, nil
}
