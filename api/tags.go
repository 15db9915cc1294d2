package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
)

// CreatePatientTag adds a tag to a clinic.
func (h *Handlers) CreatePatientTag(ctx context.Context, request gen.CreatePatientTagRequestObject) (gen.CreatePatientTagResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	tag, err := h.services.Clinics.CreateTag(ctx, clinicID, request.Body.Name)
	if err != nil {
		return nil, err
	}
	return gen.CreatePatientTag200JSONResponse{Id: new(tag.ID.Hex()), Name: tag.Name}, nil
}

// UpdatePatientTag changes the name of a tag.
func (h *Handlers) UpdatePatientTag(ctx context.Context, request gen.UpdatePatientTagRequestObject) (gen.UpdatePatientTagResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.PatientTagId})
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	if err := h.services.Clinics.RenameTag(ctx, ids[0], ids[1], request.Body.Name); err != nil {
		return nil, err
	}
	clinic, err := h.countedClinic(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	tag := clinic.Tag(ids[1])
	if tag == nil { // deleted in between
		return nil, clinics.ErrTagNotFound
	}
	return gen.UpdatePatientTag200JSONResponse{Id: new(tag.ID.Hex()), Name: tag.Name, NumPatients: clinic.TagCount(tag.ID)}, nil
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
func (h *Handlers) DeletePatientTag(ctx context.Context, request gen.DeletePatientTagRequestObject) (gen.DeletePatientTagResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.PatientTagId})
	if err != nil {
		return nil, err
	}
	return gen.DeletePatientTag204Response{}, h.services.Clinics.DeleteTag(ctx, ids[0], ids[1])
}

// AssignPatientTagToClinicPatients puts a tag on patients.
func (h *Handlers) AssignPatientTagToClinicPatients(ctx context.Context, request gen.AssignPatientTagToClinicPatientsRequestObject) (gen.AssignPatientTagToClinicPatientsResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.PatientTagId})
	if err != nil {
		return nil, err
	}
	return gen.AssignPatientTagToClinicPatients200Response{}, h.services.Groups.AssignTag(ctx, ids[0], ids[1], selection(request.Body))
}

// DeletePatientTagFromClinicPatients takes a tag off patients.
func (h *Handlers) DeletePatientTagFromClinicPatients(ctx context.Context, request gen.DeletePatientTagFromClinicPatientsRequestObject) (gen.DeletePatientTagFromClinicPatientsResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.PatientTagId})
	if err != nil {
		return nil, err
	}
	return gen.DeletePatientTagFromClinicPatients200Response{}, h.services.Groups.RemoveTag(ctx, ids[0], ids[1], selection(request.Body))
}

// selection returns the patients that a body means. No body, or null, means everyone.
func selection(body *gen.TidepoolUserIdsV1) patients.Selection {
	if body == nil || *body == nil {
		return patients.Everyone()
	}
	return patients.Only(*body)
}
