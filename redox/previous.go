package redox

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// mostPrevious is how many replaced numbers of an order are looked at, because each is searched for.
const mostPrevious = 10

// previousMRNs returns the ids of the patient identifiers of the type that the health record has replaced, as messages of Redox
// about merged records name them, each once. Those in an unexpected form are none: an order does not fail by what it can do
// without.
func (o order) previousMRNs(idType string) []string {
	identifiers, _ := o.member("Patient", "PreviousIdentifiers").ArrayOK()
	values, err := identifiers.Values()
	if err != nil {
		return nil
	}
	var previous []string
	for _, identifier := range values {
		mrn, err := firstOfType([]bson.RawValue{identifier}, idType)
		if mrn = patients.TrimMRN(mrn); err != nil || mrn == "" || slices.Contains(previous, mrn) {
			continue
		}
		if previous = append(previous, mrn); len(previous) == mostPrevious {
			break
		}
	}
	return previous
}

// patientsByPrevious is patientsOf by the numbers that the health record has replaced, for an order whose own number nobody
// has.
func (s *Service) patientsByPrevious(ctx context.Context, o order, clinic *clinics.Clinic, who roster.Identity, by []Criterion) ([]*patients.Patient, error) {
	var lists [][]*patients.Patient
	for _, mrn := range o.previousMRNs(clinic.EHRSettings.MRNType()) {
		if strings.EqualFold(mrn, who.MRN) {
			continue
		}
		for _, criterion := range by {
			compared := criteria[criterion](roster.Identity{MRN: mrn, BirthDate: who.BirthDate, FullName: who.FullName})
			if compared.MRN == "" {
				continue // nobody was found by that before
			}
			found, err := s.roster.FindByIdentity(ctx, clinic.ID, compared)
			if err != nil {
				return nil, err
			}
			lists = append(lists, found)
		}
	}
	return union(lists...), nil
}
