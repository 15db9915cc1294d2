package merge

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// changePatients moves patients to the target and merges those who are there already. It can be repeated: the clinic that a
// record belongs to tells what is done.
func (s *Service) changePatients(ctx context.Context, merge *openMerge, target *clinics.Clinic, steps []step) ([]step, error) {
	needed := changedRecords(steps)
	if len(needed) == 0 {
		return steps, nil
	}
	there, err := clinicsByRecord(ctx, s.patients, recordsToMerge(steps))
	if err != nil {
		return nil, err
	}
	writes := sharedWrites{}
	now := store.Now()
	for i := range steps {
		if steps[i].Action == Move || there[steps[i].Record] == merge.SourceID {
			writePatient(&writes, merge, target, &steps[i], now)
		}
	}
	owners, err := s.writePatients(ctx, merge, &writes)
	if err != nil {
		return nil, err
	}
	if err := s.addOwners(ctx, owners, needed); err != nil {
		return nil, err
	}
	return s.removeMerged(ctx, s.patients, merge, owners, steps)
}

// recordsToMerge returns the ids of the records of the source that are merged into others. If one has gone, those are not
// touched again.
func recordsToMerge(steps []step) []bson.ObjectID {
	var ids []bson.ObjectID
	for i := range steps {
		if steps[i].Action == Merge {
			ids = append(ids, steps[i].Record)
		}
	}
	return ids
}

// writePatients makes the writes, all of which leave records in the target. If each found its record, it returns all of them
// with their clinic, so that nobody has to look; otherwise it returns none.
func (s *Service) writePatients(ctx context.Context, merge *openMerge, writes *sharedWrites) (map[bson.ObjectID]bson.ObjectID, error) {
	owners := map[bson.ObjectID]bson.ObjectID{}
	models := writes.models()
	if len(models) == 0 {
		return owners, nil
	}
	result, err := s.patients.BulkWrite(ctx, models)
	if err != nil {
		return nil, refused(err)
	}
	if ids := writes.documents(); result.MatchedCount == int64(len(ids)) {
		for _, id := range ids {
			owners[id] = merge.TargetID
		}
	}
	return owners, nil
}

// addOwners adds the clinics of those of the patients who have none yet.
func (s *Service) addOwners(ctx context.Context, owners map[bson.ObjectID]bson.ObjectID, ids []bson.ObjectID) error {
	var unknown []bson.ObjectID
	for _, id := range ids {
		if _, known := owners[id]; !known {
			unknown = append(unknown, id)
		}
	}
	found, err := clinicsByRecord(ctx, s.patients, unknown)
	maps.Copy(owners, found)
	return err
}

// writePatient adds the updates of a step. A patient who moves keeps the document. Of one who is merged, only tags and sites
// come to the record of the target.
func writePatient(writes *sharedWrites, merge *openMerge, target *clinics.Clinic, step *step, now time.Time) {
	tags := tagIDs(target, step.Tags)
	if step.Action == Move {
		writes.add(step.Record, ofClinic(merge.SourceID), bson.D{{Key: "$set", Value: bson.D{
			{Key: "clinicId", Value: merge.TargetID}, {Key: "requireUniqueMrn", Value: step.Unique},
			{Key: "tags", Value: tags}, {Key: "updatedTime", Value: now},
		}}})
		return
	}
	if len(tags) > 0 {
		writes.add(step.Into, ofClinic(merge.TargetID), bson.D{
			{Key: "$set", Value: bson.D{{Key: "tags", Value: tags}, {Key: "updatedTime", Value: now}}},
		})
	}
	if sites := sitesIn(target, step.Sites); len(sites) > 0 {
		writes.add(step.Into, append(ofClinic(merge.TargetID), withoutSites(sites)...), bson.D{
			{Key: "$push", Value: bson.D{{Key: "sites", Value: bson.D{{Key: "$each", Value: sites}}}}},
			{Key: "$currentDate", Value: bson.D{{Key: "updatedTime", Value: true}}},
		})
	}
}

// tagIDs returns the ids of the tags with the names, in the order in which the clinic has them.
func tagIDs(clinic *clinics.Clinic, names []string) patients.TagIDs {
	ids := patients.TagIDs{}
	for _, tag := range clinic.PatientTags {
		if slices.ContainsFunc(names, func(name string) bool { return clinics.SameTagName(name, tag.Name) }) {
			ids = append(ids, tag.ID)
		}
	}
	return ids
}

// sitesIn returns the sites with the names that they have in the clinic.
func sitesIn(clinic *clinics.Clinic, sites []patients.Site) []patients.Site {
	named := slices.Clone(sites)
	for i := range named {
		for _, site := range clinic.Sites {
			if site.ID == named[i].ID {
				named[i].Name = site.Name
			}
		}
	}
	return named
}

// withoutSites matches a patient who has none of the sites, so that a repeat adds none twice.
func withoutSites(sites []patients.Site) bson.D {
	ids := make(bson.A, 0, len(sites))
	for _, site := range sites {
		ids = append(ids, site.ID)
	}
	return bson.D{{Key: "sites.id", Value: bson.D{{Key: "$nin", Value: ids}}}}
}
