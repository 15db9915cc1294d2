package merge

import (
	"context"
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
	ids := changedRecords(steps)
	if len(ids) == 0 {
		return steps, nil
	}
	before, err := clinicsByRecord(ctx, s.patients, ids)
	if err != nil {
		return nil, err
	}
	writes := sharedWrites{}
	now := store.Now()
	for i := range steps {
		if before[steps[i].Record] == merge.SourceID {
			writePatient(&writes, merge, target, &steps[i], now)
		}
	}
	if models := writes.models(); len(models) > 0 {
		if _, err := s.patients.BulkWrite(ctx, models); err != nil {
			return nil, refused(err)
		}
	}
	after, err := clinicsByRecord(ctx, s.patients, ids)
	if err != nil {
		return nil, err
	}
	return s.removeMerged(ctx, s.patients, merge, after, steps)
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
