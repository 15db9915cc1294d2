package patients

import (
	"context"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The errors of adding and changing patients.
var (
	ErrDuplicate   = errs.Because("patient_exists", errs.Duplicatef("patient is already a member of the clinic"))
	ErrUnknownSite = errs.Because("site_unknown", errs.Constraintf("the clinic has no site with that name"))
)

// CreateCustodial makes an account for a patient, which the clinic manages, and adds it to the clinic. invitedBy is the
// member who asked for it, nil for a backend service. It returns the patient as it is stored.
//
// Nothing is created after clinics.ErrNotFound, ErrMRNRequired, ErrMRNNotUnique, census.ErrLimitReached,
// ErrUnknownSite, or an error of kind errs.Duplicate for an address that has an account. From the account on, it goes on
// although the caller leaves. If that is cut off all the same, a repeat with the same address takes over the account.
func (s *Service) CreateCustodial(ctx context.Context, clinicID bson.ObjectID, details Details, invitedBy *string) (*Patient, error) {
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	patient := details.patient(clinicID)
	patient.ID = store.NewID(ctx)
	patient.Permissions = &Permissions{Custodian: &Grant{}, View: &Grant{}, Upload: &Grant{}, Note: &Grant{}}
	patient.InvitedBy = invitedBy
	lasting, release, err := s.holdMRN(ctx, clinic, patient.MRN)
	if err != nil {
		return nil, err
	}
	defer release()
	place, err := s.admit(ctx, clinic, patient)
	if err != nil {
		return nil, err
	}
	if patient.Sites, err = sitesOf(clinic, details.Sites); err != nil {
		place.GiveBack(ctx)
		return nil, err
	}
	account, err := s.makeAccount(lasting, clinicID, text(patient.Email))
	if err != nil {
		place.GiveBack(ctx)
		return nil, err
	}
	patient.UserID = account.userID
	s.log.Info("an account was made for a patient", zap.String("clinicId", clinicID.Hex()), zap.String("userId", patient.UserID))
	err = s.insert(lasting, place, patient, mrnRules(clinic))
	if errors.Is(err, ErrDuplicate) { // another request took over the account
		s.endCreation(lasting, account.creation, nil)
	} else {
		s.endCreation(lasting, account.creation, err)
	}
	return patient, err
}

// patient returns a new record with the details. The sites are left to the caller, who knows the clinic.
func (d Details) patient(clinicID bson.ObjectID) *Patient {
	now := store.Now()
	patient := Patient{
		ID: bson.NewObjectID(), ClinicID: clinicID, FullName: &d.FullName, BirthDate: d.BirthDate,
		Email: d.newAddress(), MRN: unlessEmpty(d.MRN), TargetDevices: d.TargetDevices, Tags: d.Tags,
		GlycemicRanges: d.GlycemicRanges, DiagnosisType: d.DiagnosisType, CreatedTime: now, UpdatedTime: now,
	}
	if d.DataSources != nil {
		patient.DataSources = storedDataSources(d.DataSources)
	}
	if len(d.Reviews) > 0 {
		patient.Reviews = d.Reviews
	}
	return &patient
}

func (d Details) newAddress() *string {
	if d.EmailAsEntered {
		return unlessEmpty(d.Email)
	}
	return address(d.Email)
}

// storedDataSources returns what a clinic entered as it is stored. COMPAT: an empty list is stored as null.
func storedDataSources(sources []DataSource) *[]DataSource {
	if len(sources) == 0 {
		sources = nil
	}
	return &sources
}

// admit checks the rules that the settings of the clinic make for a new patient, and takes a place for it under the limit of
// the clinic, which insert fills.
func (s *Service) admit(ctx context.Context, clinic *clinics.Clinic, patient *Patient) (*census.Place, error) {
	unique, err := s.checkMRN(ctx, clinic, patient.UserID, patient.MRN)
	if err != nil {
		return nil, err
	}
	patient.RequireUniqueMRN = unique
	var most *int
	if patient.IsCustodial() {
		most = clinic.PlanLimit(store.Now())
	}
	place, err := s.census.Reserve(ctx, clinic.ID, most)
	if errors.Is(err, census.ErrClosed) {
		if err = s.waitUntilOpen(ctx, clinic.ID, openPatience); err == nil {
			place, err = s.census.Reserve(ctx, clinic.ID, most)
		}
	}
	return place, err
}

// text returns "" for nil.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// unlessEmpty returns nil for "".
func unlessEmpty(value *string) *string {
	if text(value) == "" {
		return nil
	}
	return value
}

// address returns an e-mail address in lower case, and nil for none.
func address(email *string) *string {
	lower := strings.ToLower(text(email))
	return unlessEmpty(&lower)
}
