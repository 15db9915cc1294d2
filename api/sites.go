package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// CreateSite adds a site to a clinic.
func (h *Handlers) CreateSite(ctx context.Context, r gen.CreateSiteRequestObject) (gen.CreateSiteResponseObject, error) {
	site, err := h.services.Clinics.CreateSite(ctx, r.ClinicId, r.Body.Name)
	if err != nil {
		return nil, err
	}
	return gen.CreateSite200JSONResponse{Id: site.ID, Name: site.Name}, nil
}

// UpdateSite changes the name of a site.
func (h *Handlers) UpdateSite(ctx context.Context, r gen.UpdateSiteRequestObject) (gen.UpdateSiteResponseObject, error) {
	site := clinics.Site{ID: r.SiteId, Name: r.Body.Name}
	if err := h.services.Patients.RenameSite(ctx, r.ClinicId, site.ID, site.Name); err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, r.ClinicId, site)
	if err != nil {
		return nil, err
	}
	return gen.UpdateSite200JSONResponse(wire), nil
}

// DeleteSite takes a site out of a clinic and its patients.
func (h *Handlers) DeleteSite(ctx context.Context, r gen.DeleteSiteRequestObject) (gen.DeleteSiteResponseObject, error) {
	if err := h.services.Patients.DeleteSite(ctx, r.ClinicId, r.SiteId); err != nil {
		return nil, err
	}
	return gen.DeleteSite204Response{}, nil
}

// MergeSite moves the patients of the site in the body to the site in the path.
func (h *Handlers) MergeSite(ctx context.Context, r gen.MergeSiteRequestObject) (gen.MergeSiteResponseObject, error) {
	if r.Body == nil || r.Body.Id == nil {
		return nil, errNoBody
	}
	site, err := h.services.Patients.MergeSite(ctx, r.ClinicId, *r.Body.Id, r.SiteId)
	if err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, r.ClinicId, site)
	if err != nil {
		return nil, err
	}
	return gen.MergeSite200JSONResponse(wire), nil
}

// ConvertPatientTagToSite makes a site of a tag.
func (h *Handlers) ConvertPatientTagToSite(ctx context.Context, r gen.ConvertPatientTagToSiteRequestObject) (gen.ConvertPatientTagToSiteResponseObject, error) {
	site, err := h.services.Patients.ConvertTag(ctx, r.ClinicId, r.PatientTagId)
	if err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, r.ClinicId, site)
	if err != nil {
		return nil, err
	}
	return gen.ConvertPatientTagToSite200JSONResponse(wire), nil
}

// siteWithCount returns a site with its number of patients, under both of the names that callers know.
func (h *Handlers) siteWithCount(ctx context.Context, clinicID bson.ObjectID, site clinics.Site) (gen.SiteWithCountV1, error) {
	clinic, err := h.countedClinic(ctx, clinicID)
	if err != nil {
		return gen.SiteWithCountV1{}, err
	}
	n := clinic.SiteCount(site.ID)
	return gen.SiteWithCountV1{Id: site.ID, Name: site.Name, NumPatients: n, Patients: n}, nil
}
