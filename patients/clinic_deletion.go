package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// RecordAll records the deletion of the demo patient, the only one that a clinic which is deleted may have, without removing
// it. A patient who came after the clinic was found empty must not be recorded: the record would make others delete the
// account.
func (s *Service) RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	if s.demoUserID == "" {
		return nil
	}
	return s.deletions.Record(ctx, s.demoPatient(clinicID), deletedBy)
}

// RemoveAll removes the demo patient, with a record, and returns how many it removed. Others stay, as in RecordAll.
func (s *Service) RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error) {
	if s.demoUserID == "" {
		return 0, nil
	}
	return s.deletions.Remove(ctx, s.demoPatient(clinicID), deletedBy)
}

func (s *Service) demoPatient(clinicID bson.ObjectID) bson.D {
	return append(ofClinic(clinicID), bson.E{Key: "userId", Value: s.demoUserID})
}

// Discard removes all patients of a clinic that did not come to be, without a record.
func (s *Service) Discard(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.collection.DeleteMany(ctx, ofClinic(clinicID))
	return err
}

func ofClinic(clinicID bson.ObjectID) bson.D { return bson.D{{Key: "clinicId", Value: clinicID}} }

// HasRealPatients reports whether the clinic has patients besides the demo patient.
func (s *Service) HasRealPatients(ctx context.Context, clinicID bson.ObjectID) (bool, error) {
	filter := ofClinic(clinicID)
	if s.demoUserID != "" {
		filter = append(filter, bson.E{Key: "userId", Value: bson.D{{Key: "$ne", Value: s.demoUserID}}})
	}
	n, err := s.collection.CountDocuments(ctx, filter, options.Count().SetLimit(1))
	return n > 0, err
}
