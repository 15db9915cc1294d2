package xealth

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

var errNoPreorder = errs.Because("preorder_required", errs.BadRequestf("preorder data is required to create a new patient"))

const newPatientStep = "unable to create patient create" // for errors

// statePending is the state of a data source whose owner was not asked yet, or has not answered.
const statePending = "pending"

// newPatient returns the patient to add: what the order says, and what was entered into the form.
func (s *Service) newPatient(ctx context.Context, m match, order Order) (*patients.Details, error) {
	trackingID, ok := order.trackingID()
	if !ok {
		return nil, during(newPatientStep, errNoPreorder)
	}
	entered, err := s.preorders.get(ctx, trackingID)
	if err != nil {
		return nil, err
	}
	owner := entered.owner()
	if owner == nil {
		return nil, during(newPatientStep, errNoPreorder)
	}
	details := patients.Details{
		FullName:  m.fullName,
		BirthDate: string(m.born),
		MRN:       &m.mrn,
		Tags:      tagsOf(m.clinic, entered.Tags),

		EmailAsEntered: true,
	}
	if owner.Email != "" {
		details.Email, details.DataSources = &owner.Email, owner.dataSources()
	}
	return &details, nil
}

func (o AccountOwner) dataSources() []patients.DataSource {
	var sources []patients.DataSource
	for _, provider := range []struct {
		name   string
		ticked bool
	}{{"abbott", o.ConnectAbbott}, {"dexcom", o.ConnectDexcom}} {
		if provider.ticked {
			sources = append(sources, patients.DataSource{ProviderName: provider.name, State: statePending})
		}
	}
	return sources
}

// tagsOf returns the tags that were ticked, in that order, without those that the clinic does not have any more. It
// returns nil if none is left.
func tagsOf(clinic *clinics.Clinic, choice *TagSelection) patients.TagIDs {
	if choice == nil {
		return nil
	}
	var ids patients.TagIDs
	for _, hex := range choice.IDs {
		id, err := bson.ObjectIDFromHex(hex)
		has := slices.ContainsFunc(clinic.PatientTags, func(tag clinics.PatientTag) bool { return tag.ID == id })
		if err == nil && has && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// requestConnections asks for each provider that the patient was not asked for yet.
func (s *Service) requestConnections(ctx context.Context, patient *patients.Patient) error {
	if patient.DataSources == nil {
		return nil
	}
	for _, source := range *patient.DataSources {
		if source.State != statePending || len(patient.ProviderConnectionRequests[source.ProviderName]) > 0 {
			continue
		}
		if err := s.patients.ConnectProvider(ctx, patient.ClinicID, patient.UserID, source.ProviderName); err != nil {
			return err
		}
	}
	return nil
}
