package api

import (
	"context"
	"iter"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/store"
)

// CreateClinician adds a member or a pending invite.
func (h *Handlers) CreateClinician(ctx context.Context, r gen.CreateClinicianRequestObject) (gen.CreateClinicianResponseObject, error) {
	member, err := h.services.Clinicians.Create(ctx, clinicians.Clinician{
		ClinicID: r.ClinicId, UserID: r.Body.Id, InviteID: unlessEmpty(valueOf(r.Body.InviteId)),
		Email: &r.Body.Email, Name: r.Body.Name, Roles: r.Body.Roles,
	})
	if err != nil {
		return nil, err
	}
	return gen.CreateClinician200JSONResponse(clinicianWire(member)), nil
}

// GetClinician returns a member.
func (h *Handlers) GetClinician(ctx context.Context, r gen.GetClinicianRequestObject) (gen.GetClinicianResponseObject, error) {
	member, err := h.services.Clinicians.Get(ctx, r.ClinicId, r.ClinicianId)
	if err != nil {
		return nil, err
	}
	return gen.GetClinician200JSONResponse(clinicianWire(member)), nil
}

// ListClinicians returns members and invites of a clinic.
func (h *Handlers) ListClinicians(ctx context.Context, r gen.ListCliniciansRequestObject) (gen.ListCliniciansResponseObject, error) {
	filter := clinicians.Filter{Email: (*string)(r.Params.Email), Role: r.Params.Role, Search: r.Params.Search}
	page := store.NewPage(r.Params.Offset, r.Params.Limit)
	cursor, err := h.cursorOf("clinicians", r.ClinicId.Hex(), requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return shownClinicians(h.services.Clinicians.List(ctx, r.ClinicId, filter, page)), nil
	}
	members, next, err := behind(cursor, func(after *clinicians.Place) (iter.Seq2[*clinicians.Clinician, error], *clinicians.Place, error) {
		return h.services.Clinicians.ListBehind(ctx, r.ClinicId, filter, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, shownClinicians(members).VisitListCliniciansResponse}, nil
}

func shownClinicians(members iter.Seq2[*clinicians.Clinician, error]) clinicianList {
	return clinicianList(batched(members, func(batch []*clinicians.Clinician) ([]gen.ClinicianV1, error) { return cliniciansWire(batch), nil }))
}

// UpdateClinician changes name and roles of a member. COMPAT: all else in the body is ignored.
func (h *Handlers) UpdateClinician(ctx context.Context, r gen.UpdateClinicianRequestObject) (gen.UpdateClinicianResponseObject, error) {
	member, err := h.services.Clinicians.Update(ctx, r.ClinicId, r.ClinicianId, clinicians.Change{
		Name: r.Body.Name, Roles: r.Body.Roles, ChangedBy: auth.CallerFrom(ctx).UserID,
	})
	if err != nil {
		return nil, err
	}
	return gen.UpdateClinician200JSONResponse(clinicianWire(member)), nil
}

// DeleteClinician removes a member.
func (h *Handlers) DeleteClinician(ctx context.Context, r gen.DeleteClinicianRequestObject) (gen.DeleteClinicianResponseObject, error) {
	if err := h.services.Clinicians.Delete(ctx, r.ClinicId, r.ClinicianId, auth.CallerFrom(ctx).DeletedBy()); err != nil {
		return nil, err
	}
	return gen.DeleteClinician200Response{}, nil
}

// AddServiceAccount makes the account of a program a member.
func (h *Handlers) AddServiceAccount(ctx context.Context, r gen.AddServiceAccountRequestObject) (gen.AddServiceAccountResponseObject, error) {
	member, err := h.services.Clinicians.AddServiceAccount(ctx, r.ClinicId, r.Body.Name, r.Body.ClientId, r.Body.ClientSecret)
	if err != nil {
		return nil, err
	}
	return gen.AddServiceAccount200JSONResponse(clinicianWire(member)), nil
}
