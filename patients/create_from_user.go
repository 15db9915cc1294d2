package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// CreateFromUser adds a user who has an account to the clinic, and returns the patient as it is stored.
//
// Errors are clinics.ErrNotFound, one of kind errs.NotFound if there is no such user, ErrMRNRequired, ErrMRNNotUnique,
// census.ErrLimitReached if the clinic is to be custodian, and ErrDuplicate. With a legacy clinician, a user who is a
// patient already is no error: the clinician is added to the record, and nothing else changes.
func (s *Service) CreateFromUser(ctx context.Context, clinicID bson.ObjectID, user ExistingUser) (*Patient, error) {
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.GetUser(ctx, user.UserID)
	if err != nil {
		return nil, err
	}
	profile, err := s.profiles.Profile(ctx, user.UserID)
	if err != nil {
		return nil, err
	}
	patient := user.patient(clinicID)
	patient.ID = store.NewID(ctx)
	patient.fillFrom(account, profile)
	patient.Email = address(patient.Email)
	// COMPAT: unlike for a new account, sites that the clinic does not have are no error.
	if sites := knownSites(clinic, user.Sites); len(sites) > 0 {
		patient.Sites = sites
	}
	ctx, release, err := s.holdMRN(ctx, clinic, patient.MRN)
	if err != nil {
		return nil, err
	}
	defer release()
	place, err := s.admit(ctx, clinic, patient)
	if err != nil {
		return nil, err
	}
	err = s.insert(ctx, place, patient, mrnRules(clinic))
	if errs.Is(err, errs.Duplicate) && user.LegacyClinicianID != nil {
		return s.addLegacyClinician(ctx, clinicID, user.UserID, *user.LegacyClinicianID)
	}
	if err != nil {
		return nil, err
	}
	return patient, nil
}

// patient returns a new record with what was given; the rest comes from the profile.
func (u ExistingUser) patient(clinicID bson.ObjectID) *Patient {
	now := store.Now()
	patient := Patient{
		ID: bson.NewObjectID(), ClinicID: clinicID, UserID: u.UserID, FullName: unlessEmpty(&u.FullName), BirthDate: u.BirthDate,
		MRN: unlessEmpty(&u.MRN), Permissions: u.Permissions, Tags: u.Tags, GlycemicRanges: u.GlycemicRanges,
		DiagnosisType: u.DiagnosisType, IsMigrated: u.IsMigrated, CreatedTime: now, UpdatedTime: now,
	}
	if u.LegacyClinicianID != nil {
		patient.LegacyClinicianIDs = []string{*u.LegacyClinicianID}
	}
	return &patient
}

func (s *Service) addLegacyClinician(ctx context.Context, clinicID bson.ObjectID, userID, legacyClinicianID string) (*Patient, error) {
	return s.change(ctx, patientKey(clinicID, userID), bson.D{
		{Key: "$addToSet", Value: bson.D{{Key: "legacyClinicianIds", Value: legacyClinicianID}}},
		{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}},
	}, "legacyClinicianIds")
}

// change updates one record and returns it as it is afterwards, or ErrNotFound. mayBeNull names the fields on which the
// update fails if an older writer left them null.
func (s *Service) change(ctx context.Context, filter, update bson.D, mayBeNull ...string) (*Patient, error) {
	var patient Patient
	err := s.withoutNulls(ctx, filter, mayBeNull, func() error {
		return s.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&patient)
	})
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &patient, nil
}
