package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// RecordAll records the deletion of all members and invites of the clinic, without removing any.
func (s *Service) RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	return s.deletions.Record(ctx, ofClinic(clinicID), deletedBy)
}

// RemoveAll removes all members and invites of the clinic, each with a record, and returns their number.
func (s *Service) RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error) {
	return s.deletions.Remove(ctx, ofClinic(clinicID), deletedBy)
}

// Discard removes all members and invites of a clinic that did not come to be, without a record.
func (s *Service) Discard(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.collection.DeleteMany(ctx, ofClinic(clinicID))
	return err
}

func ofClinic(clinicID bson.ObjectID) bson.D { return bson.D{{Key: "clinicId", Value: clinicID}} }
