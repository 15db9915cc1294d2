package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// UpdateTier changes the tier of a clinic.
func (h *Handlers) UpdateTier(ctx context.Context, r gen.UpdateTierRequestObject) (gen.UpdateTierResponseObject, error) {
	if err := h.services.Clinics.SetTier(ctx, r.ClinicId, string(r.Body.Tier)); err != nil {
		return nil, err
	}
	return gen.UpdateTier200Response{}, nil
}

// UpdateSuppressedNotifications replaces what a clinic does not want to be mailed.
func (h *Handlers) UpdateSuppressedNotifications(
	ctx context.Context, r gen.UpdateSuppressedNotificationsRequestObject,
) (gen.UpdateSuppressedNotificationsResponseObject, error) {
	suppressed := clinics.SuppressedNotifications(r.Body.SuppressedNotifications)
	if err := h.services.Clinics.SetSuppressedNotifications(ctx, r.ClinicId, suppressed); err != nil {
		return nil, err
	}
	return gen.UpdateSuppressedNotifications200Response{}, nil
}

// ListMembershipRestrictions returns who may become a member of a clinic.
func (h *Handlers) ListMembershipRestrictions(
	ctx context.Context, r gen.ListMembershipRestrictionsRequestObject,
) (gen.ListMembershipRestrictionsResponseObject, error) {
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.ListMembershipRestrictions200JSONResponse(restrictionsWire(clinic.MembershipRestrictions)), nil
}

// UpdateMembershipRestrictions replaces who may become a member of a clinic. COMPAT: no body means everybody.
func (h *Handlers) UpdateMembershipRestrictions(
	ctx context.Context, r gen.UpdateMembershipRestrictionsRequestObject,
) (gen.UpdateMembershipRestrictionsResponseObject, error) {
	var restrictions []clinics.MembershipRestriction
	for _, r := range valueOf(valueOf(r.Body).Restrictions) {
		restrictions = append(restrictions, clinics.MembershipRestriction{EmailDomain: r.EmailDomain, RequiredIDP: valueOf(r.RequiredIdp)})
	}
	if err := h.services.Clinics.SetMembershipRestrictions(ctx, r.ClinicId, restrictions); err != nil {
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
func (h *Handlers) GetMRNSettings(ctx context.Context, r gen.GetMRNSettingsRequestObject) (gen.GetMRNSettingsResponseObject, error) {
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	if clinic.MRNSettings == nil {
		return nil, clinics.ErrSettingsNotFound
	}
	return gen.GetMRNSettings200JSONResponse(*clinic.MRNSettings), nil
}

// UpdateMRNSettings replaces the rules of a clinic for medical record numbers.
func (h *Handlers) UpdateMRNSettings(ctx context.Context, r gen.UpdateMRNSettingsRequestObject) (gen.UpdateMRNSettingsResponseObject, error) {
	if err := h.services.Clinics.SetMRNSettings(ctx, r.ClinicId, clinics.MRNSettings(*r.Body)); err != nil {
		return nil, err
	}
	return gen.UpdateMRNSettings200JSONResponse(*r.Body), nil
}
