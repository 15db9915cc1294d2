package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// FillGroups adds to the clinics how many patients have their tags and belong to their sites.
func (s *Service) FillGroups(ctx context.Context, list ...*Clinic) error {
	var ids []bson.ObjectID
	for _, clinic := range list {
		if len(clinic.PatientTags)+len(clinic.Sites) > 0 {
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

// SetMRNSettings is Repository.SetMRNSettings. It conflicts with transactions that give a number to a patient, so that these see
// the rules; without transactions they look again after the write.
func (s *Service) SetMRNSettings(ctx context.Context, id bson.ObjectID, settings MRNSettings) error {
	if !s.database.HasTransactions() {
		return s.Repository.SetMRNSettings(ctx, id, settings)
	}
	return s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.Repository.SetMRNSettings(ctx, id, settings); err != nil {
			return err
		}
		return s.census.Touch(ctx, id)
	})
}

// DeleteTag is Repository.DeleteTag, and forgets how many patients had the tag.
func (s *Service) DeleteTag(ctx context.Context, id, tagID bson.ObjectID) error {
	if err := s.Repository.DeleteTag(ctx, id, tagID); err != nil {
		return err
	}
	return s.census.ForgetGroup(ctx, id, tagID)
}
