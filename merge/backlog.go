package merge

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Backlog says what is left to do of all merges that are not complete.
type Backlog struct {
	Open   int64
	Oldest time.Duration // age of the oldest; 0 if there is none
	Steps  int64
}

// Backlog reads what is left to do. It counts no step one by one.
func (s *Service) Backlog(ctx context.Context) (Backlog, error) {
	open, oldest, err := s.database.Backlog(ctx, s.merges)
	if err != nil || open == 0 {
		return Backlog{}, err
	}
	steps, err := s.steps.CountDocuments(ctx, bson.D{})
	return Backlog{Open: open, Oldest: oldest, Steps: steps}, err
}
