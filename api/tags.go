package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
)

// CreatePatientTag adds a tag to a clinic.
func (h *Handlers) CreatePatientTag(ctx context.Context, r gen.CreatePatientTagRequestObject) (gen.CreatePatientTagResponseObject, error) {
	tag, err := h.services.Clinics.CreateTag(ctx, r.ClinicId, r.Body.Name)
	if err != nil {
		return nil, err
	}
	return gen.CreatePatientTag200JSONResponse{Id: &tag.ID, Name: tag.Name}, nil
}

// UpdatePatientTag changes the name of a tag.
func (h *Handlers) UpdatePatientTag(ctx context.Context, r gen.UpdatePatientTagRequestObject) (gen.UpdatePatientTagResponseObject, error) {
	if err := h.services.Clinics.RenameTag(ctx, r.ClinicId, r.PatientTagId, r.Body.Name); err != nil {
		return nil, err
	}
	clinic, err := h.countedClinic(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	tag := clinic.Tag(r.PatientTagId)
	if tag == nil { // deleted in between
		return nil, clinics.ErrTagNotFound
	}
	return gen.UpdatePatientTag200JSONResponse{Id: &tag.ID, Name: tag.Name, NumPatients: clinic.TagCount(tag.ID)}, nil
}

// countedClinic returns the clinic with the numbers of patients of its tags and sites.
func (h *Handlers) countedClinic(ctx context.Context, id bson.ObjectID) (*clinics.Clinic, error) {
	clinic, err := h.services.Clinics.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return clinic, h.services.Clinics.FillGroups(ctx, clinic)
}

// DeletePatientTag takes a tag out of a clinic.
func (h *Handlers) DeletePatientTag(ctx context.Context, r gen.DeletePatientTagRequestObject) (gen.DeletePatientTagResponseObject, error) {
	if err := h.services.Patients.DeleteTag(ctx, r.ClinicId, r.PatientTagId); err != nil {
		return nil, err
	}
	return gen.DeletePatientTag204Response{}, nil
}

// AssignPatientTagToClinicPatients puts a tag on patients.
func (h *Handlers) AssignPatientTagToClinicPatients(ctx context.Context, r gen.AssignPatientTagToClinicPatientsRequestObject) (gen.AssignPatientTagToClinicPatientsResponseObject, error) {
	if err := h.services.Patients.AssignTag(ctx, r.ClinicId, r.PatientTagId, selection(r.Body)); err != nil {
		return nil, err
	}
	return gen.AssignPatientTagToClinicPatients200Response{}, nil
}

// DeletePatientTagFromClinicPatients takes a tag off patients.
func (h *Handlers) DeletePatientTagFromClinicPatients(ctx context.Context, r gen.DeletePatientTagFromClinicPatientsRequestObject) (gen.DeletePatientTagFromClinicPatientsResponseObject, error) {
	if err := h.services.Patients.RemoveTag(ctx, r.ClinicId, r.PatientTagId, selection(r.Body)); err != nil {
		return nil, err
	}
	return gen.DeletePatientTagFromClinicPatients200Response{}, nil
}

// selection returns the patients that a body means. No body, or null, means everyone.
func selection(body *gen.TidepoolUserIdsV1) patients.Selection {
	if body == nil || *body == nil {
		return patients.Everyone()
	}
	return patients.Only(*body)
}
