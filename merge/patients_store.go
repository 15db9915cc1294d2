package merge

import (
	"context"
	"fmt"
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
	writes, otherwise := sharedWrites{}, sharedWrites{}
	now, renamed := store.Now(), renamedOnTheWay(target, steps)
	for i := range steps {
		switch {
		case steps[i].Action == Move:
			movePatient(&writes, merge, target, &steps[i], renamed, now)
		case there[steps[i].Record] == merge.SourceID:
			unitePatient(&writes, &otherwise, merge, target, &steps[i], now)
		}
	}
	owners, err := s.writePatients(ctx, merge, &writes, &otherwise)
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
// with their clinic, so that nobody has to look; otherwise it makes the other writes as well, and returns none.
func (s *Service) writePatients(ctx context.Context, merge *openMerge, writes, otherwise *sharedWrites) (map[bson.ObjectID]bson.ObjectID, error) {
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
		return owners, nil
	}
	if models = otherwise.models(); len(models) > 0 {
		_, err = s.patients.BulkWrite(ctx, models)
	}
	return owners, err
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

// movePatient adds the update of a patient who moves, and keeps the document. Sites that have another name in the target get it in the
// same write, if the patient has one of them at all; otherwise the patient changed since, and is planned anew.
func movePatient(writes *sharedWrites, merge *openMerge, target *clinics.Clinic, step *step, renamed []patients.Site, now time.Time) {
	condition, fields := ofClinic(merge.SourceID), bson.D{
		{Key: "clinicId", Value: merge.TargetID}, {Key: "requireUniqueMrn", Value: step.Unique},
		{Key: "tags", Value: tagIDs(target, step.Tags)}, {Key: "updatedTime", Value: now},
	}
	var elements bson.A
	if len(step.Sites) > 0 { // equal for all of them, so that their updates are one
		condition = append(condition, withOneOf(renamed))
		for i, site := range renamed {
			element := fmt.Sprintf("site%d", i)
			fields = append(fields, bson.E{Key: "sites.$[" + element + "].name", Value: site.Name})
			elements = append(elements, bson.D{{Key: element + ".id", Value: site.ID}})
		}
	}
	writes.add(step.Record, condition, bson.D{{Key: "$set", Value: fields}}, elements...)
}

// renamedOnTheWay returns the sites, with the names that they have in the target, whose name changes for one who moves.
func renamedOnTheWay(target *clinics.Clinic, steps []step) []patients.Site {
	var renamed []patients.Site
	for i := range steps {
		if steps[i].Action == Move {
			renamed = append(renamed, missingSites(steps[i].Sites, renamed)...)
		}
	}
	return sitesIn(target, renamed)
}

// unitePatient adds the update of a patient who is merged into one of the target: only tags and sites come to that record. One who has
// got such a site meanwhile gets the tags otherwise.
func unitePatient(writes, otherwise *sharedWrites, merge *openMerge, target *clinics.Clinic, step *step, now time.Time) {
	tags, sites := tagIDs(target, step.Tags), sitesIn(target, step.Sites)
	fields := bson.D{{Key: "updatedTime", Value: now}}
	if len(tags) > 0 {
		fields = append(fields, bson.E{Key: "tags", Value: tags})
	}
	update := bson.D{{Key: "$set", Value: fields}}
	switch {
	case len(sites) > 0:
		writes.add(step.Into, append(ofClinic(merge.TargetID), bson.E{Key: "sites.id", Value: bson.D{{Key: "$nin", Value: siteIDs(sites)}}}),
			append(update, bson.E{Key: "$push", Value: bson.D{{Key: "sites", Value: bson.D{{Key: "$each", Value: sites}}}}}))
		if len(tags) > 0 {
			otherwise.add(step.Into, append(ofClinic(merge.TargetID), withOneOf(sites), bson.E{Key: "tags", Value: bson.D{{Key: "$ne", Value: tags}}}), update)
		}
	case len(tags) > 0:
		writes.add(step.Into, ofClinic(merge.TargetID), update)
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

// withOneOf matches a patient who has one of the sites.
func withOneOf(sites []patients.Site) bson.E {
	return bson.E{Key: "sites.id", Value: bson.D{{Key: "$in", Value: siteIDs(sites)}}}
}

func siteIDs(sites []patients.Site) bson.A {
	ids := make(bson.A, 0, len(sites))
	for _, site := range sites {
		ids = append(ids, site.ID)
	}
	return ids
}
