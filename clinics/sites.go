package clinics

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// ErrNoRoomForSite tells that a tag cannot become a site because the clinic has too many.
var ErrNoRoomForSite = errs.Because("too_many_sites", errs.New(errs.Conflict, "conflict"))

// Site returns the site of the clinic, or nil.
func (c *Clinic) Site(id bson.ObjectID) *Site {
	if i := c.siteIndex(id); i >= 0 {
		return &c.Sites[i]
	}
	return nil
}

func (c *Clinic) siteIndex(id bson.ObjectID) int {
	return slices.IndexFunc(c.Sites, func(site Site) bool { return site.ID == id })
}

// hasSiteName reports whether a site other than that with the given id has the name.
func (c *Clinic) hasSiteName(name string, except bson.ObjectID) bool {
	return slices.ContainsFunc(c.Sites, func(site Site) bool { return site.ID != except && SameSiteName(site.Name, name) })
}

// CreateSite adds a site to the clinic. It returns ErrDuplicateSite, ErrTooManySites or ErrNotFound.
func (s *Service) CreateSite(ctx context.Context, id bson.ObjectID, name string) (Site, error) {
	site := Site{ID: store.NewID(ctx), Name: name}
	err := s.edit(ctx, id, "sites", func(clinic *Clinic, stored list) (bson.D, error) {
		if clinic.Site(site.ID) != nil {
			return nil, errMade
		}
		if clinic.hasSiteName(name, site.ID) {
			return nil, ErrDuplicateSite
		}
		if len(clinic.Sites) >= MaxSites {
			return nil, ErrTooManySites
		}
		return stored.push(site), nil
	})
	return site, unlessMade(err)
}

// RenameSite changes the name of a site in the clinic, but not in its patients. It returns ErrDuplicateSite if another site
// has the name, and ErrNotFound, both marked as coming from a check, or ErrNoSuchSite.
func (s *Service) RenameSite(ctx context.Context, id, siteID bson.ObjectID, name string) error {
	err := s.edit(ctx, id, "sites", func(clinic *Clinic, _ list) (bson.D, error) {
		if clinic.hasSiteName(name, siteID) {
			return nil, ErrDuplicateSite
		}
		i := clinic.siteIndex(siteID)
		if i < 0 {
			return nil, ErrNoSuchSite
		}
		return bson.D{{Key: "$set", Value: bson.D{{Key: "sites." + strconv.Itoa(i) + ".name", Value: name}}}}, nil
	})
	if errs.Is(err, errs.Duplicate) || errs.Is(err, errs.NotFound) {
		return fmt.Errorf("checking site constraints: %w", err)
	}
	return err
}

// RemoveSite takes a site out of the clinic, but not out of its patients. COMPAT: it returns ErrNotFound also if the
// clinic has no such site.
func (s *Service) RemoveSite(ctx context.Context, id, siteID bson.ObjectID) error {
	result, err := s.collection.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: id}, {Key: "sites.id", Value: siteID}},
		touched(bson.D{pull("sites", bson.D{{Key: "id", Value: siteID}})}))
	if err == nil && result.MatchedCount == 0 {
		return ErrNotFound
	}
	return err
}

// SiteOfTag returns the site that the tag becomes when it is converted: the one that an earlier attempt has made, or a new
// one. It returns ErrNoRoomForSite if there is no room for a new one.
func (c *Clinic) SiteOfTag(tag PatientTag) (Site, error) {
	id := convertedID(tag.ID)
	if site := c.Site(id); site != nil {
		return *site, nil
	}
	if len(c.Sites) >= MaxSites {
		return Site{}, ErrNoRoomForSite
	}
	name := FreeSiteName(tag.Name, func(name string) bool { return c.hasSiteName(name, id) })
	return Site{ID: id, Name: name}, nil
}

// AddSiteOfTag makes sure that the clinic has the site that the tag becomes, and returns it. It returns ErrNoRoomForSite or
// ErrNotFound.
func (s *Service) AddSiteOfTag(ctx context.Context, id bson.ObjectID, tag PatientTag) (site Site, err error) {
	err = s.edit(ctx, id, "sites", func(clinic *Clinic, stored list) (bson.D, error) {
		var err error
		if site, err = clinic.SiteOfTag(tag); err != nil {
			return nil, err
		}
		if clinic.Site(site.ID) != nil {
			return bson.D{}, nil
		}
		return stored.push(site), nil
	})
	return site, err
}

// convertedID returns the id of the site that a tag becomes. It is always the same, so that a repeat after a crash goes on
// with that site instead of making a second one.
func convertedID(tagID bson.ObjectID) bson.ObjectID {
	sum := sha256.Sum256(append([]byte("site of tag "), tagID[:]...))
	return bson.ObjectID(sum[:12])
}
