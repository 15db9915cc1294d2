package xealth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// The errors of a search for the clinic and the patient of a message. Callers put the step before them.
var (
	errNoClinic        = errs.Because("clinic_not_matched", errs.NotFoundf("couldn't find matching clinic"))
	errSeveralClinics  = errs.Because("clinics_matched", errs.Duplicatef("found multiple matching clinics"))
	errNoPatient       = errs.Because("patient_not_matched", errs.NotFoundf("couldn't find matching patient"))
	errSeveralPatients = errs.Because("patients_matched", errs.Constraintf("multiple matching patients found"))
	errNoDatasets      = errs.Because("datasets_required", errs.BadRequestf("datasets is required"))
	errNoDemographics  = errs.Because("demographics_required", errs.BadRequestf("demographics is required"))
	errNoMRN           = errs.Because("mrn_missing", errs.BadRequestf("mrn is missing"))
	errNoBirthDate     = errs.Because("birth_date_missing", errs.BadRequestf("date of birth is missing"))
	errNoFullName      = errs.Because("full_name_missing", errs.BadRequestf("full name is missing"))
)

// match is the clinic that a message is about, and what the message says about the patient.
type match struct {
	clinic       *clinics.Clinic
	mrn          string
	born         Date
	demographics Demographics
}

// matchClinic finds the clinic and reads the criteria for the patient. The clinic comes first: it says which identifier is
// the medical record number.
func (s *Service) matchClinic(ctx context.Context, r Request) (match, error) {
	clinic, err := s.clinics.FindByEHRSource(ctx, clinics.ProviderXealth, r.Deployment)
	switch {
	case errors.Is(err, clinics.ErrNoMatch):
		return match{}, errNoClinic
	case errors.Is(err, clinics.ErrMultipleMatches):
		return match{}, errSeveralClinics
	case err != nil:
		return match{}, err
	}
	m := match{clinic: clinic}
	switch {
	case r.Datasets == nil:
		return match{}, errNoDatasets
	case r.Datasets.Demographics == nil:
		return match{}, errNoDemographics
	}
	m.demographics = *r.Datasets.Demographics
	m.mrn = patients.TrimMRN(r.PatientIdentity.mrn(clinic))
	switch {
	case m.mrn == "":
		return match{}, errNoMRN
	case m.demographics.BirthDate == nil:
		return match{}, errNoBirthDate
	case m.demographics.fullName() == "":
		return match{}, errNoFullName
	}
	m.born = *m.demographics.BirthDate
	return m, nil
}

// defaultMRNType is the type of the identifier that holds the medical record number if the clinic does not say.
const defaultMRNType = "MRN"

// mrn returns the medical record number as the clinic understands it, or "".
func (p PatientIdentity) mrn(clinic *clinics.Clinic) string {
	wanted := clinic.EHRSettings.MRNIDType
	if wanted == "" {
		wanted = defaultMRNType
	}
	for _, id := range p.IDs {
		if strings.EqualFold(id.Type, wanted) {
			return id.ID
		}
	}
	return ""
}

// patientByMRN returns the patient of the clinic with this medical record number, whatever the birth date. Both are nil if
// there is none.
func (s *Service) patientByMRN(ctx context.Context, m match) (*patients.Patient, error) {
	return s.onePatient(ctx, m.clinic.ID, roster.Identity{MRN: m.mrn})
}

// patient returns the patient of the clinic with this medical record number and birth date. Both are nil if there is none.
func (s *Service) patient(ctx context.Context, m match) (*patients.Patient, error) {
	return s.onePatient(ctx, m.clinic.ID, roster.Identity{MRN: m.mrn, BirthDate: string(m.born)})
}

func (s *Service) onePatient(ctx context.Context, clinicID bson.ObjectID, who roster.Identity) (*patients.Patient, error) {
	found, err := s.roster.FindByIdentity(ctx, clinicID, who)
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		return nil, errSeveralPatients
	default:
		return found[0], nil
	}
}

// during puts the step in front of an error.
func during(step string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", step, err)
}
