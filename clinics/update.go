package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// ErrLimitEndsBeforeStart tells that a limit would end before it starts.
var ErrLimitEndsBeforeStart = errs.Because("limit_ends_before_start", errs.New(errs.BadRequest, "bad request"))

// The methods below change one part of a clinic, in one write, and return ErrNotFound if there is no such clinic.

// UpdateProfile changes what the clinic says about itself and returns the clinic as it then is. What the profile does not
// say stays as it was, except for the telephone numbers and the time zone, which are cleared.
func (s *Service) UpdateProfile(ctx context.Context, id bson.ObjectID, profile Profile) (*Clinic, error) {
	return s.update(ctx, id, profile.changes())
}

// SetMigrated marks the clinic as migrated.
func (s *Service) SetMigrated(ctx context.Context, id bson.ObjectID) error {
	return s.setField(ctx, id, "isMigrated", true)
}

// SetTier changes the tier of the clinic.
func (s *Service) SetTier(ctx context.Context, id bson.ObjectID, tier string) error {
	return s.setField(ctx, id, "tier", tier)
}

// SetSuppressedNotifications replaces what the clinic does not want to be mailed.
func (s *Service) SetSuppressedNotifications(ctx context.Context, id bson.ObjectID, suppressed SuppressedNotifications) error {
	return s.setField(ctx, id, "suppressedNotifications", suppressed)
}

// SetMembershipRestrictions replaces the restrictions. None are stored as null.
func (s *Service) SetMembershipRestrictions(ctx context.Context, id bson.ObjectID, restrictions []MembershipRestriction) error {
	if len(restrictions) == 0 {
		restrictions = nil
	}
	return s.setField(ctx, id, "membershipRestrictions", restrictions)
}

// SetMRNSettings replaces the rules for medical record numbers. COMPAT: patients who are there are not held against them until
// they change. It conflicts with transactions that give a number to a patient, so that these see the rules; without transactions
// they look again after the write.
func (s *Service) SetMRNSettings(ctx context.Context, id bson.ObjectID, settings MRNSettings) error {
	if !s.database.HasTransactions() {
		return s.setField(ctx, id, "mrnSettings", settings)
	}
	return s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.setField(ctx, id, "mrnSettings", settings); err != nil {
			return err
		}
		return s.census.Touch(ctx, id)
	})
}

// SetEHRSettings replaces the connection to the health record system.
func (s *Service) SetEHRSettings(ctx context.Context, id bson.ObjectID, settings EHRSettings) error {
	return s.setField(ctx, id, "ehrSettings", settings)
}

// SetPatientCountSettings replaces the limits and returns the clinic as it then is. It returns ErrLimitEndsBeforeStart if a
// limit can never hold.
func (s *Service) SetPatientCountSettings(ctx context.Context, id bson.ObjectID, settings PatientCountSettings) (*Clinic, error) {
	for _, limit := range []*PatientCountLimit{settings.HardLimit, settings.SoftLimit} {
		if limit != nil && limit.StartDate != nil && limit.EndDate != nil && limit.StartDate.After(*limit.EndDate) {
			return nil, ErrLimitEndsBeforeStart
		}
	}
	return s.update(ctx, id, bson.D{{Key: "patientCountSettings", Value: settings}})
}

func (s *Service) setField(ctx context.Context, id bson.ObjectID, field string, value any) error {
	_, err := s.update(ctx, id, bson.D{{Key: field, Value: value}})
	return err
}
