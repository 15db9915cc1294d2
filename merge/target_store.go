package merge

import (
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// addTagsAndSites gives the target the tags and sites of the source, before the first patient comes who has them. What the target
// has already, it does not get twice.
func (s *Service) addTagsAndSites(ctx context.Context, merge *openMerge) error {
	target, err := s.tagsAndSites(ctx, merge.TargetID)
	if err != nil {
		return err
	}
	now := store.Now() // one time for all, so that the change events name it once
	var writes []mongo.WriteModel
	for _, tag := range merge.Tags {
		if !hasTag(target, tag) {
			writes = append(writes, s.push(merge, now, "patientTags", "_id", tag.ID, tag))
		}
	}
	taken := siteNamesOf(target.Sites)
	for _, site := range missingFrom(target.Sites, merge.Sites) {
		site.Name = freeSiteName(site.Name, taken)
		taken = append(taken, site.Name)
		writes = append(writes, s.push(merge, now, "sites", "id", site.ID, site))
	}
	if len(writes) == 0 {
		return nil
	}
	_, err = s.clinics.BulkWrite(ctx, writes)
	return err
}

// push returns a write that appends an element to a list of the target unless one of the same id is there.
func (s *Service) push(merge *openMerge, now time.Time, list, key string, id bson.ObjectID, element any) *mongo.UpdateOneModel {
	return mongo.NewUpdateOneModel().
		SetFilter(bson.D{{Key: "_id", Value: merge.TargetID}, {Key: list + "." + key, Value: bson.D{{Key: "$ne", Value: id}}}}).
		SetUpdate(bson.D{
			{Key: "$push", Value: bson.D{{Key: list, Value: element}}},
			{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: now}}},
		})
}

// tagsAndSites returns the clinic with its tags and sites as they are now, and nothing else.
func (s *Service) tagsAndSites(ctx context.Context, clinicID bson.ObjectID) (*clinics.Clinic, error) {
	var clinic clinics.Clinic
	err := s.clinics.FindOne(ctx, byID(clinicID), options.FindOne().SetProjection(bson.D{
		{Key: "patientTags", Value: 1}, {Key: "sites", Value: 1},
	})).Decode(&clinic)
	return &clinic, store.OneOf(err, clinics.ErrNotFound, nil)
}

func hasTag(clinic *clinics.Clinic, tag clinics.PatientTag) bool {
	return slices.ContainsFunc(clinic.PatientTags, func(other clinics.PatientTag) bool {
		return other.ID == tag.ID || clinics.SameTagName(other.Name, tag.Name)
	})
}

func siteNamesOf(sites []clinics.Site) []string {
	found := make([]string, 0, len(sites))
	for _, site := range sites {
		found = append(found, site.Name)
	}
	return found
}

// missingFrom returns the wanted sites whose ids are not among those that are there.
func missingFrom(there, wanted []clinics.Site) []clinics.Site {
	var found []clinics.Site
	for _, site := range wanted {
		if !slices.ContainsFunc(there, func(other clinics.Site) bool { return other.ID == site.ID }) {
			found = append(found, site)
		}
	}
	return found
}

// renameSites gives the patients of sites that came under another name the new name, some at a time: a site may have
// thousands.
func (s *Service) renameSites(ctx context.Context, merge *openMerge, target *clinics.Clinic, steps []step) error {
	for i := range steps {
		at := slices.IndexFunc(target.Sites, func(site clinics.Site) bool { return site.ID == steps[i].Record })
		if steps[i].Action == Retain || at < 0 {
			continue
		}
		if err := s.renameSite(ctx, merge, target.Sites[at]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) renameSite(ctx context.Context, merge *openMerge, site clinics.Site) error {
	outdated := bson.D{
		{Key: "clinicId", Value: merge.TargetID},
		{Key: "sites", Value: bson.D{{Key: "$elemMatch", Value: bson.D{
			{Key: "id", Value: site.ID}, {Key: "name", Value: bson.D{{Key: "$ne", Value: site.Name}}},
		}}}},
	}
	for { // until none is left: an update renames the first of equal sites of a patient only
		ids, err := s.patientIDs(ctx, outdated)
		if err != nil || len(ids) == 0 {
			return err
		}
		filter := append(outdated[:2:2], oneOf(ids)...)
		if _, err := s.patients.UpdateMany(ctx, filter, bson.D{
			{Key: "$set", Value: bson.D{{Key: "sites.$.name", Value: site.Name}}},
			{Key: "$currentDate", Value: bson.D{{Key: "updatedTime", Value: true}}},
		}); err != nil {
			return err
		}
	}
}

func (s *Service) patientIDs(ctx context.Context, filter bson.D) ([]bson.ObjectID, error) {
	cursor, err := s.patients.Find(ctx, filter, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}).SetLimit(stepBatch))
	if err != nil {
		return nil, err
	}
	var found []patients.Patient
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	ids := make([]bson.ObjectID, 0, len(found))
	for i := range found {
		ids = append(ids, found[i].ID)
	}
	return ids, nil
}

// addShareCodes makes the share codes of the source lead to the target.
func (s *Service) addShareCodes(ctx context.Context, merge *openMerge) error {
	_, err := s.clinics.UpdateByID(ctx, merge.TargetID, bson.D{
		{Key: "$addToSet", Value: bson.D{{Key: "shareCodes", Value: bson.D{{Key: "$each", Value: merge.ShareCodes}}}}},
		{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}},
	})
	return err
}

func exists(ctx context.Context, collection *mongo.Collection, filter bson.D) (bool, error) {
	n, err := collection.CountDocuments(ctx, filter, options.Count().SetLimit(1))
	return n > 0, err
}
