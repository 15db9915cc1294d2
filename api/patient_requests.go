package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// SendUploadReminder asks a patient to upload data.
func (h *Handlers) SendUploadReminder(ctx context.Context, r gen.SendUploadReminderRequestObject) (gen.SendUploadReminderResponseObject, error) {
	if _, err := requirePerson(ctx); err != nil {
		return nil, err
	}
	patient, err := h.services.Patients.RemindToUpload(ctx, r.ClinicId, r.PatientId)
	if err != nil {
		return nil, err
	}
	return gen.SendUploadReminder200JSONResponse(patientWire(patient)), nil
}

// ConnectProvider asks a patient to connect the account of a device maker.
func (h *Handlers) ConnectProvider(ctx context.Context, r gen.ConnectProviderRequestObject) (gen.ConnectProviderResponseObject, error) {
	if err := h.services.Patients.ConnectProvider(ctx, r.ClinicId, r.PatientId, string(r.ProviderId)); err != nil {
		return nil, err
	}
	return gen.ConnectProvider204Response{}, nil
}
