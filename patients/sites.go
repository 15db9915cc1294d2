package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
)

// The errors of operations on groups that callers see as they are.
var (
	ErrMergeIntoItself = errs.Because("site_merged_into_itself", errs.New(errs.BadRequest, "can't merge a site into itself: bad request"))
	ErrNoTargetSite    = errs.Because("site_not_found", errs.New(errs.NotFound, "not found"))
	ErrNoTagToConvert  = errs.Because("tag_not_found", errs.New(errs.NotFound, "unable to find patient tag: not found"))
)

// RenameSite changes the name of a site, in the clinic and in its patients. The errors are those of
// clinics.Repository.RenameSite. A site may get the name that it has, so that a repeat completes what a crash cut off.
func (g *Groups) RenameSite(ctx context.Context, clinicID, siteID bson.ObjectID, name string) error {
	return g.database.InTx(ctx, func(ctx context.Context) error {
		if err := g.clinics.RenameSite(ctx, clinicID, siteID, name); err != nil {
			return err
		}
		return g.renameSite(ctx, clinicID, Site{ID: siteID, Name: name})
	})
}

// DeleteSite takes a site out of the patients and then out of the clinic. COMPAT: it returns clinics.ErrNotFound also if
// the clinic has no such site.
func (g *Groups) DeleteSite(ctx context.Context, clinicID, siteID bson.ObjectID) error {
	clinic, err := g.clinics.Get(ctx, clinicID)
	if err != nil {
		return err
	}
	if clinic.Site(siteID) == nil {
		return clinics.ErrNotFound
	}
	return g.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		n, err := g.pullSite(ctx, clinicID, siteID)
		if err != nil {
			return census.Count{}, err
		}
		return census.Count{Groups: census.Groups{Sites: counted(siteID, -n)}}, g.clinics.RemoveSite(ctx, clinicID, siteID)
	})
}

// MergeSite moves the patients of the source site to the target site, and takes the source out of the clinic. It returns
// ErrMergeIntoItself, ErrNoTargetSite, or clinics.ErrNotFound, which COMPAT stands for an unknown source too.
func (g *Groups) MergeSite(ctx context.Context, clinicID, sourceID, targetID bson.ObjectID) (clinics.Site, error) {
	if sourceID == targetID {
		return clinics.Site{}, ErrMergeIntoItself
	}
	clinic, err := g.clinics.Get(ctx, clinicID)
	if err != nil {
		return clinics.Site{}, err
	}
	target := clinic.Site(targetID)
	if target == nil {
		return clinics.Site{}, ErrNoTargetSite
	}
	if clinic.Site(sourceID) == nil {
		return clinics.Site{}, clinics.ErrNotFound
	}
	err = g.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		difference, err := g.moveToSite(ctx, clinicID, sourceID, Site(*target))
		if err != nil {
			return census.Count{}, err
		}
		return difference, g.clinics.RemoveSite(ctx, clinicID, sourceID)
	})
	return *target, err
}

// ConvertTag makes a site of a tag: a site of that name, or of the next free one, gets the patients who have the tag, and
// the tag goes. It returns ErrNoTagToConvert, clinics.ErrNoRoomForSite or clinics.ErrNotFound.
func (g *Groups) ConvertTag(ctx context.Context, clinicID, tagID bson.ObjectID) (clinics.Site, error) {
	clinic, err := g.clinics.Get(ctx, clinicID)
	if err != nil {
		return clinics.Site{}, err
	}
	tag := clinic.Tag(tagID)
	if tag == nil {
		return clinics.Site{}, ErrNoTagToConvert
	}
	if _, err := clinic.SiteOfTag(*tag); err != nil {
		return clinics.Site{}, err
	}
	var site clinics.Site
	err = g.census.Change(ctx, clinicID, func(ctx context.Context) (difference census.Count, err error) {
		if site, err = g.clinics.AddSiteOfTag(ctx, clinicID, *tag); err != nil {
			return census.Count{}, err
		}
		if difference, err = g.exchangeTag(ctx, clinicID, tagID, Site(site)); err != nil {
			return census.Count{}, err
		}
		return difference, g.clinics.DeleteTag(ctx, clinicID, tagID)
	})
	return site, err
}
