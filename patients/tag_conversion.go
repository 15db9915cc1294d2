package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
)

// ConvertTag makes a site of a tag: a site of that name, or of the next free one, gets the patients who have the tag, and
// the tag goes. It returns ErrNoTagToConvert, clinics.ErrNoRoomForSite, clinics.ErrNotFound or ErrTagsChange.
func (s *Service) ConvertTag(ctx context.Context, clinicID, tagID bson.ObjectID) (clinics.Site, error) {
	var site clinics.Site
	if err := s.AwaitTagChanges(ctx, clinicID); err != nil {
		return site, err
	}
	if err := s.convertAllButFew(ctx, clinicID, tagID); err != nil {
		return site, err
	}
	err := s.changeSites(ctx, clinicID, func(ctx context.Context, clinic *clinics.Clinic) (difference census.Count, err error) {
		if site, difference, err = s.convertFor(ctx, clinic, tagID, ofClinic(clinicID)); err != nil {
			return census.Count{}, err
		}
		return difference, s.clinics.DeleteTag(ctx, clinicID, tagID)
	})
	if err == nil {
		_, err = s.settle(ctx, clinicID, Sites{Site(site)})
	}
	return site, err
}

// convertAllButFew converts the tag for patients in batches, if they are too many for one step. The tag stays until the step
// that has to follow, so that a repeat goes on.
func (s *Service) convertAllButFew(ctx context.Context, clinicID, tagID bson.ObjectID) error {
	return s.eachBatch(ctx, withTag(ofClinic(clinicID), tagID), func(batch []bson.ObjectID) error {
		return s.changeSites(ctx, clinicID, func(ctx context.Context, clinic *clinics.Clinic) (census.Count, error) {
			_, difference, err := s.convertFor(ctx, clinic, tagID, among(ofClinic(clinicID), batch))
			return difference, err
		})
	})
}

// convertFor gives those of the patients who have the tag its site, which the clinic gets unless it has it. It asks for the site
// each time, as somebody may rename or delete it between two batches.
func (s *Service) convertFor(ctx context.Context, clinic *clinics.Clinic, tagID bson.ObjectID, who bson.D) (clinics.Site, census.Count, error) {
	tag := clinic.Tag(tagID)
	if tag == nil {
		return clinics.Site{}, census.Count{}, ErrNoTagToConvert
	}
	site, err := s.clinics.AddSiteOfTag(ctx, clinic.ID, *tag)
	if err != nil {
		return site, census.Count{}, err
	}
	difference, err := s.exchangeTag(ctx, who, tagID, Site(site))
	return site, difference, err
}
