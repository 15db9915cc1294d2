package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// UpdateTier changes the tier of a clinic.
func (h *Handlers) UpdateTier(ctx context.Context, request gen.UpdateTierRequestObject) (gen.UpdateTierResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	return gen.UpdateTier200Response{}, h.services.Clinics.SetTier(ctx, id, string(request.Body.Tier))
}

// UpdateSuppressedNotifications replaces what a clinic does not want to be mailed.
func (h *Handlers) UpdateSuppressedNotifications(
	ctx context.Context, request gen.UpdateSuppressedNotificationsRequestObject,
) (gen.UpdateSuppressedNotificationsResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	suppressed := clinics.SuppressedNotifications(request.Body.SuppressedNotifications)
	return gen.UpdateSuppressedNotifications200Response{}, h.services.Clinics.SetSuppressedNotifications(ctx, id, suppressed)
}

// ListMembershipRestrictions returns who may become a member of a clinic.
func (h *Handlers) ListMembershipRestrictions(
	ctx context.Context, request gen.ListMembershipRestrictionsRequestObject,
) (gen.ListMembershipRestrictionsResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	clinic, err := h.services.Clinics.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return gen.ListMembershipRestrictions200JSONResponse(restrictionsWire(clinic.MembershipRestrictions)), nil
}

// UpdateMembershipRestrictions replaces who may become a member of a clinic. COMPAT: no body means everybody.
func (h *Handlers) UpdateMembershipRestrictions(
	ctx context.Context, request gen.UpdateMembershipRestrictionsRequestObject,
) (gen.UpdateMembershipRestrictionsResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	var restrictions []clinics.MembershipRestriction
	for _, r := range valueOf(valueOf(request.Body).Restrictions) {
		restrictions = append(restrictions, clinics.MembershipRestriction{EmailDomain: r.EmailDomain, RequiredIDP: valueOf(r.RequiredIdp)})
	}
	if err := h.services.Clinics.SetMembershipRestrictions(ctx, id, restrictions); err != nil {
		return nil, err
	}
	return gen.UpdateMembershipRestrictions200JSONResponse(restrictionsWire(restrictions)), nil
}

func restrictionsWire(restrictions []clinics.MembershipRestriction) gen.MembershipRestrictionsV1 {
	var wire []gen.MembershipRestrictionV1
	for _, r := range restrictions {
		shown := gen.MembershipRestrictionV1{EmailDomain: r.EmailDomain}
		if r.RequiredIDP != "" {
			shown.RequiredIdp = &r.RequiredIDP
		}
		wire = append(wire, shown)
	}
	if wire == nil {
		return gen.MembershipRestrictionsV1{}
	}
	return gen.MembershipRestrictionsV1{Restrictions: &wire}
}

// GetMRNSettings returns the rules of a clinic for medical record numbers.
func (h *Handlers) GetMRNSettings(ctx context.Context, request gen.GetMRNSettingsRequestObject) (gen.GetMRNSettingsResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	clinic, err := h.services.Clinics.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if clinic.MRNSettings == nil {
		return nil, clinics.ErrSettingsNotFound
	}
	return gen.GetMRNSettings200JSONResponse(*clinic.MRNSettings), nil
}

// UpdateMRNSettings replaces the rules of a clinic for medical record numbers.
func (h *Handlers) UpdateMRNSettings(ctx context.Context, request gen.UpdateMRNSettingsRequestObject) (gen.UpdateMRNSettingsResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	if err := h.services.Clinics.SetMRNSettings(ctx, id, clinics.MRNSettings(*request.Body)); err != nil {
		return nil, err
	}
	return gen.UpdateMRNSettings200JSONResponse(*request.Body), nil
}
