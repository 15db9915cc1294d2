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
// clinics.Service.RenameSite. A site may get the name that it has, so that a repeat completes what a crash cut off. If it has many
// patients, they follow the clinic in batches.
func (s *Service) RenameSite(ctx context.Context, clinicID, siteID bson.ObjectID, name string) error {
	site := Site{ID: siteID, Name: name}
	ids, err := s.idsOf(ctx, withOldName(ofClinic(clinicID), site))
	if err != nil {
		return err
	}
	many := len(ids) > batchSize
	err = s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.clinics.RenameSite(ctx, clinicID, siteID, name); err != nil {
			return err
		}
		if err := s.census.Touch(ctx, clinicID); err != nil || many {
			return err
		}
		return s.renameSite(ctx, ofClinic(clinicID), site)
	})
	if err == nil && many {
		err = s.renameCopies(ctx, clinicID, site)
	}
	if err == nil {
		_, err = s.settle(ctx, clinicID, Sites{site})
	}
	return err
}

// changeSites runs a change of the sites of the clinic and of its patients, which conflicts with others and with patients who
// come to sites meanwhile. The change may run twice, and gets the clinic as it is then.
func (s *Service) changeSites(ctx context.Context, clinicID bson.ObjectID, change func(ctx context.Context, clinic *clinics.Clinic) (census.Count, error)) error {
	return s.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		clinic, err := s.clinics.Get(ctx, clinicID)
		if err != nil {
			return census.Count{}, err
		}
		if err := s.census.Touch(ctx, clinicID); err != nil {
			return census.Count{}, err
		}
		return change(ctx, clinic)
	})
}

// DeleteSite takes a site out of the patients and then out of the clinic. COMPAT: it returns clinics.ErrNotFound also if
// the clinic has no such site.
func (s *Service) DeleteSite(ctx context.Context, clinicID, siteID bson.ObjectID) error {
	pull := func(ctx context.Context, who bson.D) (census.Count, error) {
		n, err := s.pullSite(ctx, who, siteID)
		return census.Count{Groups: census.Groups{Sites: counted(siteID, -n)}}, err
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err == nil && clinic.Site(siteID) != nil {
		err = s.changeAllButFew(ctx, clinicID, ofClinic(clinicID), withSite(ofClinic(clinicID), siteID), pull)
	}
	if err != nil {
		return err
	}
	err = s.changeSites(ctx, clinicID, func(ctx context.Context, clinic *clinics.Clinic) (census.Count, error) {
		if clinic.Site(siteID) == nil {
			return census.Count{}, clinics.ErrNotFound
		}
		difference, err := pull(ctx, ofClinic(clinicID))
		if err != nil {
			return census.Count{}, err
		}
		return difference, s.removeSite(ctx, clinicID, siteID)
	})
	if err == nil {
		_, err = s.settle(ctx, clinicID, Sites{{ID: siteID}})
	}
	return err
}

func (s *Service) removeSite(ctx context.Context, clinicID, siteID bson.ObjectID) error {
	if err := s.clinics.RemoveSite(ctx, clinicID, siteID); err != nil {
		return err
	}
	return s.census.ForgetGroup(ctx, clinicID, siteID)
}

// MergeSite moves the patients of the source site to the target site, and takes the source out of the clinic. It returns
// ErrMergeIntoItself, ErrNoTargetSite, or clinics.ErrNotFound, which COMPAT stands for an unknown source too.
func (s *Service) MergeSite(ctx context.Context, clinicID, sourceID, targetID bson.ObjectID) (clinics.Site, error) {
	if sourceID == targetID {
		return clinics.Site{}, ErrMergeIntoItself
	}
	var target clinics.Site
	move := func(ctx context.Context, who bson.D) (census.Count, error) {
		return s.moveToSite(ctx, who, sourceID, Site(target))
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return clinics.Site{}, err
	}
	if found := clinic.Site(targetID); found != nil && clinic.Site(sourceID) != nil {
		target = *found
		if err := s.changeAllButFew(ctx, clinicID, ofClinic(clinicID), withSite(ofClinic(clinicID), sourceID), move); err != nil {
			return clinics.Site{}, err
		}
	}
	err = s.changeSites(ctx, clinicID, func(ctx context.Context, clinic *clinics.Clinic) (census.Count, error) {
		found := clinic.Site(targetID)
		if found == nil {
			return census.Count{}, ErrNoTargetSite
		}
		target = *found
		if clinic.Site(sourceID) == nil {
			return census.Count{}, clinics.ErrNotFound
		}
		difference, err := move(ctx, ofClinic(clinicID))
		if err != nil {
			return census.Count{}, err
		}
		return difference, s.removeSite(ctx, clinicID, sourceID)
	})
	if err != nil || s.database.HasTransactions() {
		return target, err
	}
	// Patients may have come to the source before it went.
	left := func(ctx context.Context) (census.Count, error) { return move(ctx, ofClinic(clinicID)) }
	if err := s.census.Change(ctx, clinicID, left); err != nil {
		return target, err
	}
	_, err = s.settle(ctx, clinicID, Sites{{ID: sourceID}, Site(target)})
	return target, err
}
