package census

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Close makes the clinic take no patients for a while, or until Open is called. Those that it has can still change and go.
// Whoever removes a clinic closes it first, and then looks whether it has patients: a patient who comes at the same time is
// then either seen, or taken out again.
func (s *Service) Close(ctx context.Context, clinicID bson.ObjectID, while time.Duration) error {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return err
	}
	_, err = s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "closedUntil", Value: now.Add(while)}}}, {Key: "$inc", Value: bson.D{{Key: "changes", Value: int64(1)}}}},
		options.UpdateOne().SetUpsert(true))
	return err
}

// Open undoes Close.
func (s *Service) Open(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, bson.D{{Key: "$unset", Value: bson.D{{Key: "closedUntil", Value: ""}}}})
	return err
}

// openPoll is how often WaitUntilOpen looks.
const openPoll = 200 * time.Millisecond

// WaitUntilOpen waits until the clinic takes patients. It returns ErrNoClinic when the clinic is gone, and ErrClosed when the
// patience ends.
func (s *Service) WaitUntilOpen(ctx context.Context, clinicID bson.ObjectID, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.readClinic(ctx, clinicID); err != nil {
			return err
		}
		now, err := s.database.ServerTime(ctx)
		if err != nil {
			return err
		}
		known, err := s.Look(ctx, []bson.ObjectID{clinicID})
		if err != nil {
			return err
		}
		if found, ok := known[clinicID]; !ok || !found.isClosed(now) {
			return nil
		}
		if time.Now().After(deadline) {
			return ErrClosed
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(openPoll):
		}
	}
}
