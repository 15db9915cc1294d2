package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// GetInvitedClinician returns a pending invite.
func (h *Handlers) GetInvitedClinician(ctx context.Context, r gen.GetInvitedClinicianRequestObject) (gen.GetInvitedClinicianResponseObject, error) {
	invite, err := h.services.Clinicians.GetInvite(ctx, r.ClinicId, r.InviteId)
	if err != nil {
		return nil, err
	}
	return gen.GetInvitedClinician200JSONResponse(clinicianWire(invite)), nil
}

// AssociateClinicianToUser turns an invite into a member.
func (h *Handlers) AssociateClinicianToUser(ctx context.Context, r gen.AssociateClinicianToUserRequestObject) (gen.AssociateClinicianToUserResponseObject, error) {
	member, err := h.services.Clinicians.Associate(ctx, r.ClinicId, r.InviteId, r.Body.UserId)
	if err != nil {
		return nil, err
	}
	return gen.AssociateClinicianToUser200JSONResponse(clinicianWire(member)), nil
}

// DeleteInvitedClinician removes a pending invite.
func (h *Handlers) DeleteInvitedClinician(ctx context.Context, r gen.DeleteInvitedClinicianRequestObject) (gen.DeleteInvitedClinicianResponseObject, error) {
	if err := h.services.Clinicians.DeleteInvite(ctx, r.ClinicId, r.InviteId); err != nil {
		return nil, err
	}
	return gen.DeleteInvitedClinician200Response{}, nil
}
