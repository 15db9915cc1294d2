package patients

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// Update changes what the details give and returns the patient as it is stored afterwards. Email, MRN and TargetDevices
// become null if they are nil; the other fields stay as they are if they are nil. An update that arrives in between keeps
// what this one does not give.
//
// Errors are ErrNotFound, clinics.ErrNotFound, ErrMRNRequired, ErrMRNNotUnique, ErrUnknownSite, and one of kind
// errs.Duplicate if the account is custodial and the address belongs to another one.
func (s *Service) Update(ctx context.Context, clinicID bson.ObjectID, userID string, details Details) (*Patient, error) {
	before, err := s.Get(ctx, clinicID, userID)
	if err != nil {
		return nil, err
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	after := details.patient(clinicID)
	after.UserID = userID
	if after.RequireUniqueMRN, err = s.checkMRN(ctx, clinic, userID, after.MRN); err != nil {
		return nil, err
	}
	if after.Sites, err = sitesOf(clinic, details.Sites); err != nil {
		return nil, err
	}
	if before.IsCustodial() {
		if err := s.accounts.UpdateUser(ctx, userID, text(after.Email)); err != nil {
			return nil, fmt.Errorf("unable to update custodial user: %w", err)
		}
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	return s.update(ctx, before, after)
}

// update writes the given fields of after. Clients send back all that they read, so most updates name lists that stay as
// they are; then the census need not be tracked, as long as nobody changed the patient since it was read.
func (s *Service) update(ctx context.Context, before, after *Patient) (*Patient, error) {
	filter, update := patientKey(before.ClinicID, before.UserID), assignments(before, after)
	if s.difference(before, after).IsZero() {
		filter := append(slices.Clone(filter), bson.E{Key: "updatedTime", Value: before.UpdatedTime})
		var patient Patient
		err := s.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&patient)
		if err == nil {
			return &patient, nil
		}
		if !store.IsNotFound(err) {
			return nil, store.OneOf(err, nil, ErrMRNNotUnique)
		}
	}
	if err := s.updateTracked(ctx, filter, update, after); err != nil {
		return nil, err
	}
	return s.Get(ctx, before.ClinicID, before.UserID)
}

func (s *Service) updateTracked(ctx context.Context, filter, update bson.D, after *Patient) error {
	return s.census.Change(ctx, after.ClinicID, func(ctx context.Context) (census.Count, error) {
		var before Patient
		err := s.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetProjection(censusFields)).Decode(&before)
		if err != nil {
			return census.Count{}, store.OneOf(err, ErrNotFound, ErrMRNNotUnique)
		}
		return s.difference(&before, after), nil
	})
}

// assignments returns the update, field by field. What is not given in after is not named.
func assignments(before, after *Patient) bson.D {
	set := bson.D{
		{Key: "fullName", Value: after.FullName},
		{Key: "birthDate", Value: after.BirthDate},
		{Key: "email", Value: after.Email},
		{Key: "mrn", Value: after.MRN},
		{Key: "targetDevices", Value: after.TargetDevices},
		{Key: "requireUniqueMrn", Value: after.RequireUniqueMRN},
		{Key: "updatedTime", Value: after.UpdatedTime},
	}
	for _, optional := range []struct {
		name  string
		given bool
		value any
	}{
		{"tags", after.Tags != nil, after.Tags},
		{"sites", after.Sites != nil, after.Sites},
		{"dataSources", after.DataSources != nil, after.DataSources},
		{"reviews", after.Reviews != nil, after.Reviews},
		{"glycemicRanges", after.GlycemicRanges != nil, after.GlycemicRanges},
		{"diagnosisType", after.DiagnosisType != nil, after.DiagnosisType},
	} {
		if optional.given {
			set = append(set, bson.E{Key: optional.name, Value: optional.value})
		}
	}
	return bson.D{{Key: "$set", Value: append(set, deactivations(before, after)...)}}
}

// deactivations ends all subscriptions of a patient whose medical record number changes, because the orders behind them
// named the old number.
func deactivations(before, after *Patient) bson.D {
	if (before.MRN == nil) == (after.MRN == nil) && text(before.MRN) == text(after.MRN) {
		return nil
	}
	var set bson.D
	for name := range before.EHRSubscriptions {
		set = append(set, bson.E{Key: "ehrSubscriptions." + name + ".active", Value: false})
	}
	return set
}
