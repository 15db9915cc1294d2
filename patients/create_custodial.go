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
// ErrUnknownSite, or an error of kind errs.Duplicate for an address that has an account. If another request takes the
// number at the same time, the account is left behind without a patient.
func (s *Service) CreateCustodial(ctx context.Context, clinicID bson.ObjectID, details Details, invitedBy *string) (*Patient, error) {
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	patient := details.patient(clinicID)
	patient.Permissions = &Permissions{Custodian: &Grant{}, View: &Grant{}, Upload: &Grant{}, Note: &Grant{}}
	patient.InvitedBy = invitedBy
	place, err := s.admit(ctx, clinic, patient)
	if err != nil {
		return nil, err
	}
	if patient.Sites, err = sitesOf(clinic, details.Sites); err != nil {
		place.GiveBack(ctx)
		return nil, err
	}
	account, err := s.accounts.CreateCustodialUser(ctx, clinicID.Hex(), text(patient.Email))
	if err != nil {
		place.GiveBack(ctx)
		return nil, err
	}
	patient.UserID = account.UserID
	s.log.Info("an account was made for a patient", zap.String("clinicId", clinicID.Hex()), zap.String("userId", account.UserID))
	ctx, cancel := finishing(ctx)
	defer cancel()
	return patient, s.insert(ctx, place, patient)
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
	return s.census.Reserve(ctx, clinic.ID, most)
}

// insert adds the record, and returns ErrDuplicate or ErrMRNNotUnique if another one is in the way, clinics.ErrNotFound if the
// clinic was deleted meanwhile. It ends the place in any case.
func (s *Service) insert(ctx context.Context, place *census.Place, patient *Patient) error {
	if err := s.requireStranger(ctx, patient); err != nil {
		place.GiveBack(ctx)
		return err
	}
	err := place.Fill(ctx, func(ctx context.Context) (census.Count, error) {
		if _, err := s.collection.InsertOne(ctx, patient); err != nil {
			return census.Count{}, err
		}
		return s.census.Of(patient.facts()), nil
	})
	switch {
	case store.IsDuplicate(err): // another request came first since the checks
		if err = s.requireStranger(ctx, patient); err == nil {
			err = ErrMRNNotUnique
		}
	case errors.Is(err, census.ErrNoClinic):
		err = errors.Join(clinics.ErrNotFound, s.takeOut(ctx, patient))
	case errors.Is(err, census.ErrClosed):
		err = errors.Join(err, s.takeOut(ctx, patient))
	}
	return err
}

// takeOut removes a record that must not have come to be. With transactions there is none.
func (s *Service) takeOut(ctx context.Context, patient *Patient) error {
	if s.database.HasTransactions() {
		return nil
	}
	_, err := s.collection.DeleteOne(context.WithoutCancel(ctx), bson.D{{Key: "_id", Value: patient.ID}})
	return err
}

// requireStranger returns ErrDuplicate if the clinic has a record of the user.
func (s *Service) requireStranger(ctx context.Context, patient *Patient) error {
	known, err := s.exists(ctx, patient.ClinicID, patient.UserID)
	if err == nil && known {
		err = ErrDuplicate
	}
	return err
}

// sitesOf returns the sites with these ids as they are stored in patients, each once; ErrUnknownSite if the clinic does not
// have one. Nil stays nil.
func sitesOf(clinic *clinics.Clinic, ids []bson.ObjectID) (Sites, error) {
	sites := knownSites(clinic, ids)
	distinct := make(map[bson.ObjectID]bool, len(ids))
	for _, id := range ids {
		distinct[id] = true
	}
	if len(sites) < len(distinct) {
		return nil, ErrUnknownSite
	}
	return sites, nil
}

// knownSites returns those of the sites that the clinic has, each once, in the order of the ids. Nil stays nil.
func knownSites(clinic *clinics.Clinic, ids []bson.ObjectID) Sites {
	if ids == nil {
		return nil
	}
	names := make(map[bson.ObjectID]string, len(clinic.Sites))
	for _, site := range clinic.Sites {
		names[site.ID] = site.Name
	}
	sites := make(Sites, 0, len(ids))
	for _, id := range ids {
		if name, ok := names[id]; ok {
			sites = append(sites, Site{ID: id, Name: name})
			delete(names, id)
		}
	}
	return sites
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
