package api

import (
	"context"
	"regexp"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
)

// DeleteUserFromClinics removes a user who left the platform, as a patient first and as a member then.
func (h *Handlers) DeleteUserFromClinics(ctx context.Context, r gen.DeleteUserFromClinicsRequestObject) (gen.DeleteUserFromClinicsResponseObject, error) {
	if err := h.services.Patients.RemoveUser(ctx, r.UserId); err != nil {
		return nil, err
	}
	if err := h.services.Clinicians.RemoveUser(ctx, r.UserId); err != nil {
		return nil, err
	}
	return gen.DeleteUserFromClinics200Response{}, nil
}

var errEmail = errs.Because("email_invalid", errs.BadRequestf("email is not an e-mail address"))

// emailAddress is an address with a dotted domain, and nothing around it.
var emailAddress = regexp.MustCompile(`^[^\s@<>()\[\],;:\\"]+@([\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}([\p{L}\p{N}-]*[\p{L}\p{N}])?$`)

// UpdateClinicUserDetails changes the address of a user. COMPAT: without one, a member keeps theirs, and a patient loses it.
func (h *Handlers) UpdateClinicUserDetails(ctx context.Context, r gen.UpdateClinicUserDetailsRequestObject) (gen.UpdateClinicUserDetailsResponseObject, error) {
	email := valueOf(r.Body).Email
	if email != nil {
		if !emailAddress.MatchString(*email) {
			return nil, errEmail
		}
		if err := h.services.Clinicians.ChangeEmail(ctx, r.UserId, *email); err != nil {
			return nil, err
		}
	}
	if err := h.services.Patients.ChangeEmail(ctx, r.UserId, email); err != nil {
		return nil, err
	}
	return gen.UpdateClinicUserDetails200Response{}, nil
}
