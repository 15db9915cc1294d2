package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

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
		var difference census.Count
		err := s.database.InTx(ctx, func(ctx context.Context) error {
			stored, err := s.collection.FindOne(ctx, patientKey(clinicID, userID)).Raw()
			if err != nil {
				return store.OneOf(err, ErrNotFound, nil)
			}
			var patient Patient
			if err := store.Unmarshal(stored, &patient); err != nil {
				return err
			}
			recorded, err := record(stored)
			if err != nil {
				return err
			}
			n, err := s.deletionRecords().RemoveDocuments(ctx, []bson.Raw{recorded}, deletedBy)
			if err == nil && n == 0 {
				err = ErrNotFound // another request removed it since it was read
			}
			difference = census.Count{}.Minus(s.census.Of(patient.facts()))
			return err
		})
		if err != nil {
			return census.Count{}, err
		}
		return difference, nil
	})
}
