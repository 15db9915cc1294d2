package api

import (
	"context"
	"unicode/utf8"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// CreateClinician adds a member or a pending invite.
func (h *Handlers) CreateClinician(ctx context.Context, request gen.CreateClinicianRequestObject) (gen.CreateClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	member, err := h.services.Clinicians.Create(ctx, clinicians.Clinician{
		ClinicID: clinicID, UserID: request.Body.Id, InviteID: nonEmpty(request.Body.InviteId),
		Email: &request.Body.Email, Name: request.Body.Name, Roles: request.Body.Roles,
	})
	if err != nil {
		return nil, err
	}
	return gen.CreateClinician200JSONResponse(clinicianWire(member)), nil
}

// GetClinician returns a member.
func (h *Handlers) GetClinician(ctx context.Context, request gen.GetClinicianRequestObject) (gen.GetClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	member, err := h.services.Clinicians.Get(ctx, clinicID, request.ClinicianId)
	if err != nil {
		return nil, err
	}
	return gen.GetClinician200JSONResponse(clinicianWire(member)), nil
}

// ListClinicians returns members and invites of a clinic.
func (h *Handlers) ListClinicians(ctx context.Context, request gen.ListCliniciansRequestObject) (gen.ListCliniciansResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if search := request.Params.Search; search != nil && !utf8.ValidString(*search) {
		return nil, errs.New(errs.BadRequest, `parameter "search" in query has an error: the value is not UTF-8`)
	}
	members, err := h.services.Clinicians.List(ctx, clinicID, clinicians.Filter{
		Email: (*string)(request.Params.Email), Role: request.Params.Role, Search: request.Params.Search,
	}, store.NewPage(request.Params.Offset, request.Params.Limit))
	if err != nil {
		return nil, err
	}
	return gen.ListClinicians200JSONResponse(cliniciansWire(members)), nil
}

// UpdateClinician changes name and roles of a member. COMPAT: all else in the body is ignored.
func (h *Handlers) UpdateClinician(ctx context.Context, request gen.UpdateClinicianRequestObject) (gen.UpdateClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	member, err := h.services.Clinicians.Update(ctx, clinicID, request.ClinicianId, clinicians.Change{
		Name: request.Body.Name, Roles: request.Body.Roles, ChangedBy: auth.CallerFrom(ctx).UserID,
	})
	if err != nil {
		return nil, err
	}
	return gen.UpdateClinician200JSONResponse(clinicianWire(member)), nil
}

// DeleteClinician removes a member.
func (h *Handlers) DeleteClinician(ctx context.Context, request gen.DeleteClinicianRequestObject) (gen.DeleteClinicianResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	err = h.services.Clinicians.Delete(ctx, clinicID, request.ClinicianId, auth.CallerFrom(ctx).DeletedBy())
	return gen.DeleteClinician200Response{}, err
}

// AddServiceAccount makes the account of a program a member.
func (h *Handlers) AddServiceAccount(ctx context.Context, request gen.AddServiceAccountRequestObject) (gen.AddServiceAccountResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	member, err := h.services.Clinicians.AddServiceAccount(ctx, clinicID, request.Body.Name, request.Body.ClientId, request.Body.ClientSecret)
	if err != nil {
		return nil, err
	}
	return gen.AddServiceAccount200JSONResponse(clinicianWire(member)), nil
}

// nonEmpty returns nil for "" too.
func nonEmpty(text *string) *string {
	if valueOf(text) == "" {
		return nil
	}
	return text
}
