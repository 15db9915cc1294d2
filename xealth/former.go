package xealth

import (
	"context"
	"slices"
	"strings"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// mostFormer is how many replaced numbers are looked at: each is searched for, and has a lease.
const mostFormer = 10

// former returns the medical record numbers of the clinic that were replaced by the current one, each once. A message without
// a current one is about nobody, whatever was replaced.
func (p PatientIdentity) former(clinic *clinics.Clinic, current string) []string {
	var former []string
	wanted := mrnType(clinic)
	for _, id := range p.HistoricalIDs {
		mrn := patients.TrimMRN(id.ID)
		if !strings.EqualFold(id.Type, wanted) || mrn == "" || mrn == current || slices.Contains(former, mrn) {
			continue
		}
		if former = append(former, mrn); len(former) == mostFormer {
			break
		}
	}
	return former
}

// findFormer returns the patients of the clinic who have one of the replaced numbers, and the birth date unless that is "".
func (s *Service) findFormer(ctx context.Context, m match, born Date) ([]*patients.Patient, error) {
	var all []*patients.Patient
	for _, mrn := range m.former {
		found, err := s.roster.FindByIdentity(ctx, m.clinic.ID, roster.Identity{MRN: mrn, BirthDate: string(born)})
		if err != nil {
			return nil, err
		}
		for _, patient := range found { // numbers that differ in case find the same patient
			if !slices.ContainsFunc(all, func(p *patients.Patient) bool { return p.UserID == patient.UserID }) {
				all = append(all, patient)
			}
		}
	}
	return all, nil
}
