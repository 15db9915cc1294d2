package patients

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// openPatience is how long a new patient waits for a clinic that is being merged or deleted.
const openPatience = 8 * time.Second

// insert adds the record, and returns ErrDuplicate or ErrMRNNotUnique if another one is in the way, clinics.ErrNotFound if the
// clinic was deleted meanwhile. If the clinic takes no patients, it waits for a while. It ends the place in any case. rules are
// those against which the number was checked.
func (s *Service) insert(ctx context.Context, place *census.Place, patient *Patient, rules clinics.MRNSettings) error {
	for deadline := time.Now().Add(openPatience); ; {
		err := s.insertOnce(ctx, place, patient, rules)
		if !errors.Is(err, census.ErrClosed) || time.Now().After(deadline) {
			return err
		}
		if err := s.waitUntilOpen(ctx, patient.ClinicID, time.Until(deadline)); err != nil {
			return err
		}
		if place, err = place.Again(ctx); err != nil {
			return err
		}
	}
}

func (s *Service) waitUntilOpen(ctx context.Context, clinicID bson.ObjectID, patience time.Duration) error {
	err := s.census.WaitUntilOpen(ctx, clinicID, patience)
	if errors.Is(err, census.ErrNoClinic) {
		return clinics.ErrNotFound
	}
	return err
}

func (s *Service) insertOnce(ctx context.Context, place *census.Place, patient *Patient, rules clinics.MRNSettings) error {
	if err := s.requireStranger(ctx, patient); err != nil {
		place.GiveBack(ctx)
		return err
	}
	audit.Patient(ctx, patient.ClinicID, patient.UserID)
	wanted := patient.Sites
	err := place.Fill(ctx, func(ctx context.Context) (_ census.Count, err error) {
		if patient.Sites, err = s.currentSites(ctx, patient.ClinicID, wanted); err != nil {
			return census.Count{}, err
		}
		if s.database.HasTransactions() {
			if err := s.recheckMRN(ctx, rules, patient); err != nil {
				return census.Count{}, err
			}
		}
		if _, err := s.collection.InsertOne(ctx, patient); err != nil {
			return census.Count{}, err
		}
		return s.census.Of(patient.facts()), nil
	})
	switch {
	case err == nil:
		err = s.settleNew(ctx, patient, rules)
	case store.IsDuplicate(err): // another request came first since the checks
		if err = s.requireStranger(ctx, patient); err == nil {
			err = ErrMRNNotUnique
		}
	case errors.Is(err, census.ErrNoClinic):
		err = s.takeOut(ctx, patient, clinics.ErrNotFound)
	case errors.Is(err, census.ErrClosed):
		err = s.takeOut(ctx, patient, err)
	}
	return err
}

// settleNew follows, without transactions, the insert of a patient: it takes the patient out again if the number breaks a rule
// that was switched on meanwhile, and makes the sites fit the clinic. The patient is there, so that another failure is not the
// caller's.
func (s *Service) settleNew(ctx context.Context, patient *Patient, rules clinics.MRNSettings) error {
	if !s.database.HasTransactions() {
		takenBack := false
		err := s.settleMRN(ctx, rules, patient, func(ctx context.Context, cause error) error {
			takenBack = true
			return s.takeBack(ctx, patient, cause)
		})
		if takenBack {
			return err
		}
		if err != nil {
			s.log.Warn("the number of a new patient could not be compared with the rules of the clinic", zap.Stringer("clinicId", patient.ClinicID), zap.Error(err))
		}
	}
	settled, err := s.settle(ctx, patient.ClinicID, patient.Sites)
	if err != nil {
		s.log.Warn("the sites of a new patient could not be compared with those of the clinic", zap.Stringer("clinicId", patient.ClinicID), zap.Error(err))
		return nil
	}
	patient.Sites = settled
	return nil
}

// takeBack is takeOut for a patient who is counted.
func (s *Service) takeBack(ctx context.Context, patient *Patient, cause error) error {
	var gone bool
	err := s.census.Change(ctx, patient.ClinicID, func(ctx context.Context) (census.Count, error) {
		err := s.takeOut(ctx, patient, cause)
		if gone = errors.Is(err, cause); !gone {
			return census.Count{}, err
		}
		return census.Count{}.Minus(s.census.Of(patient.facts())), nil
	})
	if err == nil && gone {
		err = cause
	}
	return err
}

// takeOut removes a record that must not have come to be, and returns the cause. With transactions there is none. If a merge
// was faster and moved the record to another clinic, all is well, and it returns nil.
func (s *Service) takeOut(ctx context.Context, patient *Patient, cause error) error {
	if s.database.HasTransactions() {
		return cause
	}
	result, err := s.collection.DeleteOne(ctx, append(ofClinic(patient.ClinicID), bson.E{Key: "_id", Value: patient.ID}))
	if err != nil {
		return errors.Join(cause, err)
	}
	if result.DeletedCount == 0 {
		return nil
	}
	return cause
}

// requireStranger returns ErrDuplicate if the clinic has a record of the user.
func (s *Service) requireStranger(ctx context.Context, patient *Patient) error {
	known, err := s.exists(ctx, patient.ClinicID, patient.UserID)
	if err == nil && known {
		err = ErrDuplicate
	}
	return err
}
