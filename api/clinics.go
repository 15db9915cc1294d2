package api

import (
	"context"
	"iter"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// CreateClinic makes a clinic with the caller as its admin.
func (h *Handlers) CreateClinic(ctx context.Context, r gen.CreateClinicRequestObject) (gen.CreateClinicResponseObject, error) {
	clinic, err := h.services.Lifecycle.Create(ctx, auth.CallerFrom(ctx).UserID, profile(r.Body))
	if err != nil {
		return nil, err
	}
	return gen.CreateClinic200JSONResponse(clinicWire(clinic)), nil
}

// GetClinic returns a clinic by its id.
func (h *Handlers) GetClinic(ctx context.Context, r gen.GetClinicRequestObject) (gen.GetClinicResponseObject, error) {
	clinic, err := h.services.Clinics.GetWithGroups(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.GetClinic200JSONResponse(clinicWire(clinic)), nil
}

// GetClinicByShareCode returns the clinic that has a share code now or had it before a merge.
func (h *Handlers) GetClinicByShareCode(ctx context.Context, r gen.GetClinicByShareCodeRequestObject) (gen.GetClinicByShareCodeResponseObject, error) {
	clinic, err := h.services.Clinics.GetByShareCode(ctx, r.ShareCode)
	if err != nil {
		return nil, err
	}
	wire, err := h.showClinic(ctx, clinic)
	if err != nil {
		return nil, err
	}
	return gen.GetClinicByShareCode200JSONResponse(wire), nil
}

// ListClinics returns a page of clinics.
func (h *Handlers) ListClinics(ctx context.Context, r gen.ListClinicsRequestObject) (gen.ListClinicsResponseObject, error) {
	p := r.Params
	filter := clinics.Filter{ShareCode: p.ShareCode, CreatedFrom: p.CreatedTimeStart, CreatedBefore: p.CreatedTimeEnd, EHREnabled: p.EhrEnabled}
	page := store.NewPage(p.Offset, p.Limit)
	cursor, err := h.cursorOf("clinics", "", requestFrom(ctx).query, p.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return h.clinicList(ctx, h.services.Clinics.Each(ctx, filter, page)), nil
	}
	list, next, err := behind(cursor, func(after *clinics.Place) (iter.Seq2[*clinics.Clinic, error], *clinics.Place, error) {
		return h.services.Clinics.EachBehind(ctx, filter, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, h.clinicList(ctx, list).VisitListClinicsResponse}, nil
}

func (h *Handlers) clinicList(ctx context.Context, list iter.Seq2[*clinics.Clinic, error]) clinicList {
	return clinicList(batched(list, func(batch []*clinics.Clinic) ([]gen.ClinicV1, error) { return h.showClinics(ctx, batch) }))
}

// UpdateClinic changes what a clinic says about itself.
func (h *Handlers) UpdateClinic(ctx context.Context, r gen.UpdateClinicRequestObject) (gen.UpdateClinicResponseObject, error) {
	clinic, err := h.services.Clinics.UpdateProfile(ctx, r.ClinicId, profile(r.Body))
	if err != nil {
		return nil, err
	}
	wire, err := h.showClinic(ctx, clinic)
	if err != nil {
		return nil, err
	}
	return gen.UpdateClinic200JSONResponse(wire), nil
}

// DeleteClinic removes a clinic without patients.
func (h *Handlers) DeleteClinic(ctx context.Context, r gen.DeleteClinicRequestObject) (gen.DeleteClinicResponseObject, error) {
	if err := h.services.Lifecycle.Delete(ctx, r.ClinicId, auth.CallerFrom(ctx).DeletedBy()); err != nil {
		return nil, err
	}
	return gen.DeleteClinic204Response{}, nil
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
