package patients

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// Update changes what the details give and returns the patient as it is stored afterwards. Email, MRN and TargetDevices
// become null if they are nil; the other fields stay as they are if they are nil. An update that arrives in between keeps
// what this one does not give.
//
// Errors are ErrNotFound, clinics.ErrNotFound, ErrMRNRequired, ErrMRNNotUnique, ErrUnknownSite, and one of kind
// errs.Duplicate if the account is custodial and the address belongs to another one.
func (s *Service) Update(ctx context.Context, clinicID bson.ObjectID, userID string, details Details) (*Patient, error) {
	before, err := s.beforeUpdate(ctx, clinicID, userID)
	if err != nil {
		return nil, err
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	after := details.patient(clinicID)
	after.UserID = userID
	changedMRN := after.MRN
	if sameText(before.MRN, after.MRN) {
		changedMRN = nil
	}
	lasting, release, err := s.holdMRN(ctx, clinic, changedMRN)
	if err != nil {
		return nil, err
	}
	defer release()
	if after.RequireUniqueMRN, err = s.checkMRN(ctx, clinic, userID, after.MRN); err != nil {
		return nil, err
	}
	if after.Sites, err = sitesOf(clinic, details.Sites); err != nil {
		return nil, err
	}
	if before.IsCustodial() {
		return s.updateWithAccount(lasting, before, after, mrnRules(clinic))
	}
	return s.update(lasting, before, after, mrnRules(clinic))
}

// updateWithAccount changes the address of the account, and then the patient. Of a patient who was left alone for a while, a write
// of anybody else is noticed: then the address, too, is set once more. Otherwise updates of the same patient take turns, because
// the account may end with the address of one, and the patient with that of the other.
//
// COMPAT: the account is also changed if the address is what it was.
func (s *Service) updateWithAccount(ctx context.Context, before, after *Patient, rules clinics.MRNSettings) (*Patient, error) {
	if isQuiet(before) && len(store.Held(ctx, s.collection)) == 0 { // what fails to hold has to be noticed before the account changes
		if err := s.setAddress(ctx, after); err != nil {
			return nil, err
		}
		patient, err := s.updateUnchanged(ctx, before, after, rules)
		if !errors.Is(err, errPatientChanged) {
			return patient, err
		}
	}
	ctx, lease, err := s.leases.Wait(ctx, "account", before.UserID, turnPatience)
	if err != nil {
		return nil, err
	}
	defer lease.Release() //nolint:contextcheck // it is given back although the caller left
	if err := store.RequireHeld(ctx, s.collection, patientKey(before.ClinicID, before.UserID)); err != nil {
		return nil, err
	}
	if err := s.setAddress(ctx, after); err != nil {
		return nil, err
	}
	patient, err := s.update(ctx, before, after, rules)
	if errors.Is(err, store.ErrNotAsRead) {
		s.putBackAddress(ctx, before)
	}
	return patient, err
}

// putBackAddress gives the account the address that the patient has, after an update that went no further than the account. If
// that fails, the next update of the patient sets both.
func (s *Service) putBackAddress(ctx context.Context, before *Patient) {
	ctx, cancel := finishing(ctx)
	defer cancel()
	stored, err := s.beforeUpdate(ctx, before.ClinicID, before.UserID)
	if err == nil {
		err = s.accounts.UpdateUser(ctx, before.UserID, text(stored.Email))
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		s.log.Warn("the address of an account could not be put back", zap.String("userId", before.UserID), zap.Error(err))
	}
}

func (s *Service) setAddress(ctx context.Context, after *Patient) error {
	if err := s.accounts.UpdateUser(ctx, after.UserID, text(after.Email)); err != nil {
		return fmt.Errorf("unable to update custodial user: %w", err)
	}
	return nil
}

// updateAttempts bounds how often an update is tried again because the patient changed since it was read.
const updateAttempts = 20

// errPatientChanged tells that the patient is not as it was read.
var errPatientChanged = errs.Because("changed_concurrently", errs.New(errs.Conflict, "the patient changes too often; repeat the request"))

// update writes the given fields of after, as long as nobody changed the patient since it was read. Otherwise it reads again.
// rules are those against which the number was checked.
func (s *Service) update(ctx context.Context, before, after *Patient, rules clinics.MRNSettings) (*Patient, error) {
	for range updateAttempts {
		patient, err := s.updateUnchanged(ctx, before, after, rules)
		if !errors.Is(err, errPatientChanged) {
			return patient, err
		}
		if before, err = s.beforeUpdate(ctx, before.ClinicID, before.UserID); err != nil {
			return nil, err
		}
	}
	return nil, errPatientChanged
}

// quietTime is how long ago a patient must have changed for its updatedTime to say that nobody changes it now. Two writers may
// have the same time, in milliseconds, and the time is older than the write.
const quietTime = time.Minute

// isQuiet reports whether a write that names the updatedTime of the patient fails if anybody else wrote since it was read.
func isQuiet(p *Patient) bool { return time.Since(p.UpdatedTime) > quietTime }

// updateUnchanged is one attempt of update. Clients send back all that they read, so most updates name lists that stay as they
// are; then the census need not be tracked. Of a patient who is left alone for a while, what was read is what is replaced, so that
// the write can return the patient, who otherwise is read once more.
func (s *Service) updateUnchanged(ctx context.Context, before, after *Patient, rules clinics.MRNSettings) (*Patient, error) {
	if audit.IsRecorded(ctx) {
		audit.Fields(ctx, changedFields(before, after))
	}
	filter := append(patientKey(before.ClinicID, before.UserID), unchangedSince(before.UpdatedTime))
	filter = append(filter, store.Held(ctx, s.collection)...)
	if sameText(before.MRN, after.MRN) && isQuiet(before) {
		return s.updateQuiet(ctx, filter, before, after)
	}
	return s.updateTracked(ctx, filter, before, after, rules)
}

// updateQuiet is an attempt for a patient who was last changed so long ago that the filter holds for nothing but what was read,
// and whose number stays.
func (s *Service) updateQuiet(ctx context.Context, filter bson.D, before, after *Patient) (*Patient, error) {
	var patient Patient
	write := func(ctx context.Context, update bson.D) error {
		patient = Patient{} // an earlier run of the same transaction may have filled it
		err := s.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&patient)
		return store.OneOf(err, store.Missed(ctx, s.collection, errPatientChanged), ErrMRNNotUnique)
	}
	if s.difference(before, after).IsZero() {
		return &patient, write(ctx, assignments(before, after))
	}
	written := *after
	err := s.census.Change(ctx, before.ClinicID, func(ctx context.Context) (_ census.Count, err error) {
		if written.Sites, err = s.currentSites(ctx, before.ClinicID, after.Sites); err != nil {
			return census.Count{}, err
		}
		if err := write(ctx, assignments(before, &written)); err != nil {
			return census.Count{}, err
		}
		return s.difference(before, &written), nil
	})
	if err != nil || len(written.Sites) == 0 || s.database.HasTransactions() {
		return &patient, err
	}
	if _, err := s.settle(ctx, before.ClinicID, written.Sites); err != nil {
		return nil, err
	}
	return s.Get(ctx, before.ClinicID, before.UserID) // who was settled may have other sites
}

// updateTracked is an attempt that tells from the replaced document what changed.
func (s *Service) updateTracked(ctx context.Context, filter bson.D, before, after *Patient, rules clinics.MRNSettings) (*Patient, error) {
	newMRN := !sameText(before.MRN, after.MRN)
	written := *after
	err := s.census.Change(ctx, before.ClinicID, func(ctx context.Context) (_ census.Count, err error) {
		if written.Sites, err = s.currentSites(ctx, before.ClinicID, after.Sites); err != nil {
			return census.Count{}, err
		}
		if newMRN && s.database.HasTransactions() {
			if err := s.recheckMRN(ctx, rules, &written); err != nil {
				return census.Count{}, err
			}
		}
		var replaced Patient
		err = s.collection.FindOneAndUpdate(ctx, filter, assignments(before, &written), options.FindOneAndUpdate().SetProjection(censusFields)).Decode(&replaced)
		if err != nil {
			return census.Count{}, store.OneOf(err, store.Missed(ctx, s.collection, errPatientChanged), ErrMRNNotUnique)
		}
		if newMRN && s.database.HasTransactions() {
			err = s.census.Touch(ctx, before.ClinicID)
		}
		return s.difference(&replaced, &written), err
	})
	if err != nil {
		return nil, err
	}
	if newMRN && !s.database.HasTransactions() {
		if err := s.settleMRN(ctx, rules, &written, func(ctx context.Context, cause error) error { return s.putBackMRN(ctx, before, &written, cause) }); err != nil {
			return nil, err
		}
	}
	if _, err := s.settle(ctx, before.ClinicID, written.Sites); err != nil {
		return nil, err
	}
	return s.Get(ctx, before.ClinicID, before.UserID)
}

// putBackMRN gives the patient the former number again, if the new one breaks a rule that was switched on meanwhile, and returns
// the cause. What else was written stays: the account may have the address already.
func (s *Service) putBackMRN(ctx context.Context, before, written *Patient, cause error) error {
	_, err := s.collection.UpdateOne(ctx, append(patientKey(before.ClinicID, before.UserID), bson.E{Key: "mrn", Value: written.MRN}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "mrn", Value: before.MRN}, {Key: "updatedTime", Value: store.Now()}}}})
	if err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// unchangedSince is the part of a filter that holds for a patient with this updatedTime. Older writers left some without one.
func unchangedSince(updated time.Time) bson.E {
	if updated.IsZero() {
		return bson.E{Key: "updatedTime", Value: nil}
	}
	return bson.E{Key: "updatedTime", Value: updated}
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
	if sameText(before.MRN, after.MRN) {
		return nil
	}
	var set bson.D
	for name := range before.EHRSubscriptions {
		set = append(set, bson.E{Key: "ehrSubscriptions." + name + ".active", Value: false})
	}
	return set
}

func sameText(a, b *string) bool { return (a == nil) == (b == nil) && text(a) == text(b) }
