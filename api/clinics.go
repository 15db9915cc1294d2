package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
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
