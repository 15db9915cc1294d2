package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// DeleteUserFromClinics removes a user who left the platform, as a patient first and as a member then.
func (h *Handlers) DeleteUserFromClinics(ctx context.Context, r gen.DeleteUserFromClinicsRequestObject) (gen.DeleteUserFromClinicsResponseObject, error) {
	if err := h.services.UserEvents.RemoveUser(ctx, r.UserId); err != nil {
		return nil, err
	}
	if err := h.services.Clinicians.RemoveUser(ctx, r.UserId); err != nil {
		return nil, err
	}
	return gen.DeleteUserFromClinics200Response{}, nil
}

// UpdateClinicUserDetails changes the address of a user. COMPAT: without one, a member keeps theirs, and a patient loses it.
func (h *Handlers) UpdateClinicUserDetails(ctx context.Context, r gen.UpdateClinicUserDetailsRequestObject) (gen.UpdateClinicUserDetailsResponseObject, error) {
	var email *string
	if r.Body != nil {
		email = (*string)(r.Body.Email)
	}
	if email != nil {
		if err := h.services.Clinicians.ChangeEmail(ctx, r.UserId, *email); err != nil {
			return nil, err
		}
	}
	if err := h.services.UserEvents.ChangeEmail(ctx, r.UserId, email); err != nil {
		return nil, err
	}
	return gen.UpdateClinicUserDetails200Response{}, nil
}
