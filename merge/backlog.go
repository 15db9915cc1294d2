package merge

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Backlog says what is left to do of all merges that are not complete.
type Backlog struct {
	Open   int64
	Oldest time.Duration // age of the oldest; 0 if there is none
	Steps  int64
}

// Backlog reads what is left to do. It counts no step one by one.
func (s *Service) Backlog(ctx context.Context) (Backlog, error) {
	open, err := s.merges.CountDocuments(ctx, bson.D{})
	if err != nil || open == 0 {
		return Backlog{}, err
	}
	var oldest struct {
		ID bson.ObjectID `bson:"_id"`
	}
	err = s.merges.FindOne(ctx, bson.D{}, options.FindOne().SetSort(store.Ascending("_id")).SetProjection(store.Ascending("_id"))).Decode(&oldest)
	if store.IsNotFound(err) {
		return Backlog{}, nil
	}
	if err != nil {
		return Backlog{}, err
	}
	steps, err := s.steps.CountDocuments(ctx, bson.D{})
	return Backlog{Open: open, Oldest: max(0, time.Since(oldest.ID.Timestamp())), Steps: steps}, err
}
