package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
)

// GetPatient answers with one patient of a clinic.
func (h *Handlers) GetPatient(ctx context.Context, r gen.GetPatientRequestObject) (gen.GetPatientResponseObject, error) {
	row, err := h.services.Roster.Get(ctx, r.ClinicId, r.PatientId)
	if err != nil {
		return nil, err
	}
	return patientResponse{row}, nil
}

// CreatePatientAccount makes an account for a patient and adds it to a clinic.
func (h *Handlers) CreatePatientAccount(ctx context.Context, r gen.CreatePatientAccountRequestObject) (gen.CreatePatientAccountResponseObject, error) {
	details, err := patientDetails(r.Body)
	if err != nil {
		return nil, err
	}
	var invitedBy *string
	if caller := auth.CallerFrom(ctx); !caller.Server {
		invitedBy = &caller.UserID
	}
	patient, err := h.services.Patients.CreateCustodial(ctx, r.ClinicId, details, invitedBy)
	if err != nil {
		return nil, err
	}
	return gen.CreatePatientAccount200JSONResponse(patientWire(patient)), nil
}

// CreatePatientFromUser adds a user who has an account to a clinic.
func (h *Handlers) CreatePatientFromUser(ctx context.Context, r gen.CreatePatientFromUserRequestObject) (gen.CreatePatientFromUserResponseObject, error) {
	user, err := existingUser(r.PatientId, r.Body)
	if err != nil {
		return nil, err
	}
	patient, err := h.services.Patients.CreateFromUser(ctx, r.ClinicId, user)
	if err != nil {
		return nil, err
	}
	return gen.CreatePatientFromUser200JSONResponse(patientWire(patient)), nil
}

// UpdatePatient changes what a clinic knows about a patient.
func (h *Handlers) UpdatePatient(ctx context.Context, r gen.UpdatePatientRequestObject) (gen.UpdatePatientResponseObject, error) {
	details, err := patientDetails(r.Body)
	if err != nil {
		return nil, err
	}
	patient, err := h.services.Patients.Update(ctx, r.ClinicId, r.PatientId, details)
	if err != nil {
		return nil, err
	}
	return gen.UpdatePatient200JSONResponse(patientWire(patient)), nil
}

// DeletePatient takes a patient out of a clinic.
func (h *Handlers) DeletePatient(ctx context.Context, r gen.DeletePatientRequestObject) (gen.DeletePatientResponseObject, error) {
	if err := h.services.Patients.Remove(ctx, r.ClinicId, r.PatientId, auth.CallerFrom(ctx).DeletedBy()); err != nil {
		return nil, err
	}
	return gen.DeletePatient204Response{}, nil
}
