package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
)

// GetInvitedClinician returns a pending invite.
func (h *Handlers) GetInvitedClinician(ctx context.Context, request gen.GetInvitedClinicianRequestObject) (gen.GetInvitedClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	invite, err := h.services.Clinicians.GetInvite(ctx, clinicID, request.InviteId)
	if err != nil {
		return nil, err
	}
	return gen.GetInvitedClinician200JSONResponse(clinicianWire(invite)), nil
}

// AssociateClinicianToUser turns an invite into a member.
func (h *Handlers) AssociateClinicianToUser(ctx context.Context, request gen.AssociateClinicianToUserRequestObject) (gen.AssociateClinicianToUserResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	member, err := h.services.Clinicians.Associate(ctx, clinicID, request.InviteId, request.Body.UserId)
	if err != nil {
		return nil, err
	}
	return gen.AssociateClinicianToUser200JSONResponse(clinicianWire(member)), nil
}

// DeleteInvitedClinician removes a pending invite.
func (h *Handlers) DeleteInvitedClinician(ctx context.Context, request gen.DeleteInvitedClinicianRequestObject) (gen.DeleteInvitedClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.DeleteInvitedClinician200Response{}, h.services.Clinicians.DeleteInvite(ctx, clinicID, request.InviteId)
}
