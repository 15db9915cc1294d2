package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// UpdatePatientPermissions sets what a patient grants to a clinic. An absent body grants nothing.
func (h *Handlers) UpdatePatientPermissions(ctx context.Context, r gen.UpdatePatientPermissionsRequestObject) (gen.UpdatePatientPermissionsResponseObject, error) {
	granted, err := h.services.Patients.ReplacePermissions(ctx, r.ClinicId, r.PatientId, valueOf(r.Body))
	if err != nil {
		return nil, err
	}
	if granted == nil {
		return gen.UpdatePatientPermissions204Response{}, nil
	}
	return gen.UpdatePatientPermissions200JSONResponse(*granted), nil
}

// DeletePatientPermission takes one permission away from a clinic.
func (h *Handlers) DeletePatientPermission(ctx context.Context, r gen.DeletePatientPermissionRequestObject) (gen.DeletePatientPermissionResponseObject, error) {
	if err := h.services.Patients.RevokePermission(ctx, r.ClinicId, r.PatientId, r.Permission); err != nil {
		return nil, err
	}
	return gen.DeletePatientPermission204Response{}, nil
}
