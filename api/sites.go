package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// CreateSite adds a site to a clinic.
func (h *Handlers) CreateSite(ctx context.Context, request gen.CreateSiteRequestObject) (gen.CreateSiteResponseObject, error) {
	clinicID, err := objectID(request.ClinicId)
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	site, err := h.services.Clinics.CreateSite(ctx, clinicID, request.Body.Name)
	if err != nil {
		return nil, err
	}
	return gen.CreateSite200JSONResponse{Id: site.ID.Hex(), Name: site.Name}, nil
}

// UpdateSite changes the name of a site.
func (h *Handlers) UpdateSite(ctx context.Context, request gen.UpdateSiteRequestObject) (gen.UpdateSiteResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.SiteId})
	if err != nil {
		return nil, err
	}
	if request.Body == nil {
		return nil, errNoBody
	}
	site := clinics.Site{ID: ids[1], Name: request.Body.Name}
	if err := h.services.Groups.RenameSite(ctx, ids[0], site.ID, site.Name); err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, ids[0], site)
	return gen.UpdateSite200JSONResponse(wire), err
}

// DeleteSite takes a site out of a clinic and its patients.
func (h *Handlers) DeleteSite(ctx context.Context, request gen.DeleteSiteRequestObject) (gen.DeleteSiteResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.SiteId})
	if err != nil {
		return nil, err
	}
	return gen.DeleteSite204Response{}, h.services.Groups.DeleteSite(ctx, ids[0], ids[1])
}

// MergeSite moves the patients of the site in the body to the site in the path.
func (h *Handlers) MergeSite(ctx context.Context, request gen.MergeSiteRequestObject) (gen.MergeSiteResponseObject, error) {
	if request.Body == nil || request.Body.Id == nil {
		return nil, errNoBody
	}
	ids, err := objectIDs([]string{request.ClinicId, request.SiteId, *request.Body.Id})
	if err != nil {
		return nil, err
	}
	site, err := h.services.Groups.MergeSite(ctx, ids[0], ids[2], ids[1])
	if err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, ids[0], site)
	return gen.MergeSite200JSONResponse(wire), err
}

// ConvertPatientTagToSite makes a site of a tag.
func (h *Handlers) ConvertPatientTagToSite(ctx context.Context, request gen.ConvertPatientTagToSiteRequestObject) (gen.ConvertPatientTagToSiteResponseObject, error) {
	ids, err := objectIDs([]string{request.ClinicId, request.PatientTagId})
	if err != nil {
		return nil, err
	}
	site, err := h.services.Groups.ConvertTag(ctx, ids[0], ids[1])
	if err != nil {
		return nil, err
	}
	wire, err := h.siteWithCount(ctx, ids[0], site)
	return gen.ConvertPatientTagToSite200JSONResponse(wire), err
}

// siteWithCount returns a site with its number of patients, under both of the names that callers know.
func (h *Handlers) siteWithCount(ctx context.Context, clinicID bson.ObjectID, site clinics.Site) (gen.SiteWithCountV1, error) {
	clinic, err := h.countedClinic(ctx, clinicID)
	if err != nil {
		return gen.SiteWithCountV1{}, err
	}
	n := clinic.SiteCount(site.ID)
	return gen.SiteWithCountV1{Id: site.ID.Hex(), Name: site.Name, NumPatients: n, Patients: n}, nil
}
