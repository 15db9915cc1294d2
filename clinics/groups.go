package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/census"
)

// GetWithGroups is Get and FillGroups in one, which reads both at the same time.
func (s *Service) GetWithGroups(ctx context.Context, id bson.ObjectID) (*Clinic, error) {
	var stored census.Stored
	group, together := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		stored, err = s.census.Look(together, []bson.ObjectID{id})
		return err
	})
	clinic, err := s.Get(ctx, id)
	if lookErr := group.Wait(); err == nil {
		err = lookErr
	}
	if err == nil && clinic.hasGroups() {
		clinic.Groups, err = s.census.GroupsOf(ctx, id, stored)
	}
	if err != nil {
		return nil, err
	}
	return clinic, nil
}

func (c *Clinic) hasGroups() bool { return len(c.PatientTags)+len(c.Sites) > 0 }

// FillGroups adds to the clinics how many patients have their tags and belong to their sites.
func (s *Service) FillGroups(ctx context.Context, list ...*Clinic) error {
	var ids []bson.ObjectID
	for _, clinic := range list {
		if clinic.hasGroups() {
			ids = append(ids, clinic.ID)
		}
	}
	groups, err := s.census.Groups(ctx, ids)
	if err != nil {
		return err
	}
	for _, clinic := range list {
		clinic.Groups = groups[clinic.ID]
	}
	return nil
}

// TagCount returns how many patients have the tag, as FillGroups found.
func (c *Clinic) TagCount(id bson.ObjectID) int { return c.Groups.Tags[id] }

// SiteCount returns how many patients belong to the site, as FillGroups found.
func (c *Clinic) SiteCount(id bson.ObjectID) int { return c.Groups.Sites[id] }
