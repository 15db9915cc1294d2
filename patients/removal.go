package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// Remove takes the patient out of the clinic and leaves a deletion record, or returns ErrNotFound. The account of the user
// stays; another service, which watches the records, looks after it. deletedBy is the user who asked for it, nil for a
// backend service.
func (s *Service) Remove(ctx context.Context, clinicID bson.ObjectID, userID string, deletedBy *string) error {
	known, err := s.exists(ctx, clinicID, userID)
	if err == nil && !known {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	return s.remove(ctx, clinicID, userID, deletedBy, func(stored bson.Raw) (bson.Raw, error) { return stored, nil })
}

// remove is Remove with a choice of what the record says about the patient.
func (s *Service) remove(ctx context.Context, clinicID bson.ObjectID, userID string, deletedBy *string, record func(stored bson.Raw) (bson.Raw, error)) error {
	return s.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		if err := s.database.Claim(ctx, s.collection, patientKey(clinicID, userID)); err != nil {
			return census.Count{}, err
		}
		stored, err := s.collection.FindOne(ctx, patientKey(clinicID, userID)).Raw()
		if err != nil {
			return census.Count{}, store.OneOf(err, ErrNotFound, nil)
		}
		recorded, err := record(stored)
		if err != nil {
			return census.Count{}, err
		}
		if err := s.deletions.RecordDocuments(ctx, []bson.Raw{recorded}, deletedBy); err != nil {
			return census.Count{}, err
		}
		// What is removed may have changed since it was read, or be gone: that is what does not count any more.
		var removed Patient
		key := append(ofClinic(clinicID), bson.E{Key: "_id", Value: stored.Lookup("_id")})
		err = s.collection.FindOneAndDelete(ctx, key, options.FindOneAndDelete().SetProjection(censusFields)).Decode(&removed)
		if err != nil {
			return census.Count{}, store.OneOf(err, ErrNotFound, nil)
		}
		return census.Count{}.Minus(s.census.Of(removed.facts())), nil
	})
}
