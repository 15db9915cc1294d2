package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// DeleteUserFromClinics removes a user who left the platform, as a patient first and as a member then.
func (h *Handlers) DeleteUserFromClinics(ctx context.Context, request gen.DeleteUserFromClinicsRequestObject) (gen.DeleteUserFromClinicsResponseObject, error) {
	if err := h.services.UserEvents.RemoveUser(ctx, request.UserId); err != nil {
		return nil, err
	}
	return gen.DeleteUserFromClinics200Response{}, h.services.Clinicians.RemoveUser(ctx, request.UserId)
}

// UpdateClinicUserDetails changes the address of a user. COMPAT: without one, a member keeps theirs, and a patient loses it.
func (h *Handlers) UpdateClinicUserDetails(ctx context.Context, request gen.UpdateClinicUserDetailsRequestObject) (gen.UpdateClinicUserDetailsResponseObject, error) {
	var email *string
	if request.Body != nil {
		email = (*string)(request.Body.Email)
	}
	if email != nil {
		if err := h.services.Clinicians.ChangeEmail(ctx, request.UserId, *email); err != nil {
			return nil, err
		}
	}
	return gen.UpdateClinicUserDetails200Response{}, h.services.UserEvents.ChangeEmail(ctx, request.UserId, email)
}
