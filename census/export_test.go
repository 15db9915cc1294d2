package census

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// KeepFresh leaves a note, and does work while it renews it.
func (s *Service) KeepFresh(ctx context.Context, clinicID bson.ObjectID, every time.Duration, work func(ctx context.Context) error) error {
	change, err := s.leaveNote(ctx, clinicID, 0)
	if err != nil {
		return err
	}
	return s.keepFresh(ctx, change, every, work)
}
