package xealth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

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
	former       []string // medical record numbers that the health record has replaced
	fullName     string
	born         Date
	demographics Demographics
}

// match finds the clinic and reads what the message says about the patient. The clinic comes first: it says which
// identifier is the medical record number.
func (s *Service) match(ctx context.Context, r Request) (match, error) {
	clinic, err := s.clinicOf(ctx, r.Deployment)
	if err != nil {
		return match{}, err
	}
	return newMatch(clinic, r.PatientIdentity, r.Datasets)
}

// clinicOf returns the clinic that has the deployment, errNoClinic or errSeveralClinics.
func (s *Service) clinicOf(ctx context.Context, deployment string) (*clinics.Clinic, error) {
	clinic, err := s.clinics.FindByEHRSource(ctx, clinics.ProviderXealth, deployment)
	switch {
	case errors.Is(err, clinics.ErrNoMatch):
		return nil, errNoClinic
	case errors.Is(err, clinics.ErrMultipleMatches):
		return nil, errSeveralClinics
	default:
		return clinic, err
	}
}

// newMatch reads what a message says about a patient of the clinic. If it says too little, newMatch returns the rest with
// the error.
func newMatch(clinic *clinics.Clinic, identity PatientIdentity, datasets *Datasets) (match, error) {
	m := match{clinic: clinic, mrn: patients.TrimMRN(identity.mrn(clinic))}
	m.former = identity.former(clinic, m.mrn)
	switch {
	case datasets == nil:
		return m, errNoDatasets
	case datasets.Demographics == nil:
		return m, errNoDemographics
	}
	m.demographics = *datasets.Demographics
	m.fullName = m.demographics.fullName()
	switch {
	case m.mrn == "":
		return m, errNoMRN
	case m.demographics.BirthDate == nil:
		return m, errNoBirthDate
	case m.fullName == "":
		return m, errNoFullName
	}
	m.born = *m.demographics.BirthDate
	return m, nil
}

// defaultMRNType is the type of the identifier that holds the medical record number if the clinic does not say.
const defaultMRNType = "MRN"

// mrn returns the medical record number as the clinic understands it, or "": the first identifier of the right type.
func (p PatientIdentity) mrn(clinic *clinics.Clinic) string {
	wanted := mrnType(clinic)
	for _, id := range p.IDs {
		if strings.EqualFold(id.Type, wanted) {
			return id.ID
		}
	}
	return ""
}

func mrnType(clinic *clinics.Clinic) string {
	return cmp.Or(clinic.EHRSettings.MRNIDType, defaultMRNType)
}

// findPatient returns the patient of the clinic with the medical record number, and with the birth date unless that is "".
// Both are nil if there is none. If nobody has the number, it looks for those that the health record has replaced by it.
func (s *Service) findPatient(ctx context.Context, m match, born Date) (*patients.Patient, error) {
	found, err := s.roster.FindByIdentity(ctx, m.clinic.ID, roster.Identity{MRN: m.mrn, BirthDate: string(born)})
	if err == nil && len(found) == 0 {
		found, err = s.findFormer(ctx, m, born)
	}
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
