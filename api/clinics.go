package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// errNoBody answers requests without a body where one is needed.
var errNoBody = errs.New(errs.BadRequest, "request body has an error: value is required but missing")

// CreateClinic makes a clinic with the caller as its admin.
func (h *Handlers) CreateClinic(ctx context.Context, request gen.CreateClinicRequestObject) (gen.CreateClinicResponseObject, error) {
	if request.Body == nil {
		return nil, errNoBody
	}
	clinic, err := h.services.Clinics.Create(ctx, auth.CallerFrom(ctx).UserID, profile(request.Body))
	if err != nil {
		return nil, err
	}
	return gen.CreateClinic200JSONResponse(clinicWire(clinic)), nil
}

// GetClinic returns a clinic by its id.
func (h *Handlers) GetClinic(ctx context.Context, request gen.GetClinicRequestObject) (gen.GetClinicResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	clinic, err := h.services.Clinics.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	wire, err := h.showClinic(ctx, clinic)
	return gen.GetClinic200JSONResponse(wire), err
}

// GetClinicByShareCode returns the clinic that has a share code now or had it before a merge.
func (h *Handlers) GetClinicByShareCode(ctx context.Context, request gen.GetClinicByShareCodeRequestObject) (gen.GetClinicByShareCodeResponseObject, error) {
	clinic, err := h.services.Clinics.GetByShareCode(ctx, request.ShareCode)
	if err != nil {
		return nil, err
	}
	wire, err := h.showClinic(ctx, clinic)
	return gen.GetClinicByShareCode200JSONResponse(wire), err
}

// ListClinics returns a page of clinics.
func (h *Handlers) ListClinics(ctx context.Context, request gen.ListClinicsRequestObject) (gen.ListClinicsResponseObject, error) {
	p := request.Params
	filter := clinics.Filter{ShareCode: p.ShareCode, CreatedFrom: p.CreatedTimeStart, CreatedBefore: p.CreatedTimeEnd, EHREnabled: p.EhrEnabled}
	list, err := h.services.Clinics.List(ctx, filter, store.NewPage(p.Offset, p.Limit))
	if err != nil {
		return nil, err
	}
	shown, err := h.showClinics(ctx, list)
	return gen.ListClinics200JSONResponse(shown), err
}

// UpdateClinic changes what a clinic says about itself.
func (h *Handlers) UpdateClinic(ctx context.Context, request gen.UpdateClinicRequestObject) (gen.UpdateClinicResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	clinic, err := h.services.Clinics.UpdateProfile(ctx, id, profile(request.Body))
	if err != nil {
		return nil, err
	}
	wire, err := h.showClinic(ctx, clinic)
	return gen.UpdateClinic200JSONResponse(wire), err
}

// DeleteClinic removes a clinic without patients.
func (h *Handlers) DeleteClinic(ctx context.Context, request gen.DeleteClinicRequestObject) (gen.DeleteClinicResponseObject, error) {
	id, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.DeleteClinic204Response{}, h.services.Clinics.Delete(ctx, id, auth.CallerFrom(ctx).DeletedBy())
}

// profile returns what the body says about a clinic. COMPAT: all else in it is ignored.
func profile(body *gen.ClinicV1) clinics.Profile {
	p := clinics.Profile{
		Name: body.Name, Address: body.Address, City: body.City, Country: body.Country, PostalCode: body.PostalCode,
		State: body.State, Website: body.Website, PreferredBGUnits: string(body.PreferredBgUnits),
		ClinicType: (*string)(body.ClinicType), ClinicSize: (*string)(body.ClinicSize), Timezone: (*string)(body.Timezone),
	}
	for _, number := range valueOf(body.PhoneNumbers) {
		p.PhoneNumbers = append(p.PhoneNumbers, clinics.PhoneNumber{Type: number.Type, Number: number.Number})
	}
	return p
}
