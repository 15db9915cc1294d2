package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// GetPatient answers with one patient of a clinic.
func (h *Handlers) GetPatient(ctx context.Context, r gen.GetPatientRequestObject) (gen.GetPatientResponseObject, error) {
	clinicID, err := objectID(r.ClinicId)
	if err != nil {
		return nil, err
	}
	patient, err := h.services.Patients.Get(ctx, clinicID, r.PatientId)
	if err != nil {
		return nil, err
	}
	return gen.GetPatient200JSONResponse(patientWire(patient)), nil
}
