package merge

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// takePatients moves patients to the target and unites those who are there already. It can be repeated: what is done is
// seen by the clinic that a record belongs to.
func (s *Service) takePatients(ctx context.Context, merge *openMerge, target *clinics.Clinic, steps []step) ([]step, error) {
	before, err := clinicsByRecord(ctx, s.patients, recordsOf(steps))
	if err != nil {
		return nil, err
	}
	var writes []mongo.WriteModel
	for i := range steps {
		if before[steps[i].Record] == merge.SourceID {
			writes = append(writes, patientWrites(merge, target, &steps[i])...)
		}
	}
	if len(writes) > 0 {
		if _, err := s.patients.BulkWrite(ctx, writes); err != nil {
			return nil, refused(err)
		}
	}
	after, err := clinicsByRecord(ctx, s.patients, recordsOf(steps))
	if err != nil {
		return nil, err
	}
	return s.removeMerged(ctx, s.patients, merge, after, steps)
}

// refused marks the error of a unique index.
func refused(err error) error {
	if store.IsDuplicate(err) {
		return errors.Join(errRefused, err)
	}
	return err
}

func recordsOf(steps []step) []bson.ObjectID {
	var ids []bson.ObjectID
	for i := range steps {
		switch steps[i].Action {
		case Move:
			ids = append(ids, steps[i].Record)
		case Merge:
			ids = append(ids, steps[i].Record, steps[i].Into)
		}
	}
	return ids
}

// removeMerged removes the records of the source that were united with one of the target which is still there, and returns
// the steps that are done. No deletion is recorded: the patient or member lives on, and the record would make others
// delete the account.
func (s *Service) removeMerged(ctx context.Context, collection *mongo.Collection, merge *openMerge, now map[bson.ObjectID]bson.ObjectID, steps []step) ([]step, error) {
	var done []step
	var united []bson.ObjectID
	for i := range steps {
		switch there := now[steps[i].Into] == merge.TargetID; {
		case steps[i].Action == Merge && there:
			united = append(united, steps[i].Record)
			done = append(done, steps[i])
		case steps[i].Action == Move && now[steps[i].Record] == merge.TargetID:
			done = append(done, steps[i])
		case steps[i].Action == Retain, steps[i].Action == MergeInto:
			done = append(done, steps[i])
		}
	}
	if len(united) == 0 {
		return done, nil
	}
	_, err := collection.DeleteMany(ctx, append(oneOf(united), ofClinic(merge.SourceID)...))
	return done, err
}

// patientWrites returns the updates of one step. A moved patient keeps its document; of a united one, only tags and sites
// come to the record of the target.
func patientWrites(merge *openMerge, target *clinics.Clinic, step *step) []mongo.WriteModel {
	tags := tagIDs(target, step.Tags)
	if step.Action == Move {
		return []mongo.WriteModel{updateOne(step.Record, merge.SourceID, nil, bson.D{
			{Key: "$set", Value: bson.D{
				{Key: "clinicId", Value: merge.TargetID}, {Key: "requireUniqueMrn", Value: step.Unique},
				{Key: "tags", Value: tags}, {Key: "updatedTime", Value: store.Now()},
			}},
		})}
	}
	var writes []mongo.WriteModel
	if len(tags) > 0 {
		writes = append(writes, updateOne(step.Into, merge.TargetID, nil, bson.D{
			{Key: "$set", Value: bson.D{{Key: "tags", Value: tags}, {Key: "updatedTime", Value: store.Now()}}},
		}))
	}
	if sites := sitesIn(target, step.Sites); len(sites) > 0 {
		writes = append(writes, updateOne(step.Into, merge.TargetID, withoutSites(sites), bson.D{
			{Key: "$push", Value: bson.D{{Key: "sites", Value: bson.D{{Key: "$each", Value: sites}}}}},
			{Key: "$currentDate", Value: bson.D{{Key: "updatedTime", Value: true}}},
		}))
	}
	return writes
}

func updateOne(id, clinicID bson.ObjectID, condition, update bson.D) mongo.WriteModel {
	filter := append(append(byID(id), ofClinic(clinicID)...), condition...)
	return mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update)
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

// takeMembers moves members to the target. Those who are members there keep that record as it is.
func (s *Service) takeMembers(ctx context.Context, merge *openMerge, _ *clinics.Clinic, steps []step) ([]step, error) {
	var writes []mongo.WriteModel
	for i := range steps {
		if steps[i].Action == Move {
			writes = append(writes, updateOne(steps[i].Record, merge.SourceID, nil, bson.D{{Key: "$set", Value: bson.D{
				{Key: "clinicId", Value: merge.TargetID}, {Key: "updatedTime", Value: store.Now()},
			}}}))
		}
	}
	if len(writes) > 0 {
		if _, err := s.members.BulkWrite(ctx, writes); err != nil {
			return nil, refused(err)
		}
	}
	now, err := clinicsByRecord(ctx, s.members, recordsOf(steps))
	if err != nil {
		return nil, err
	}
	done, err := s.removeMerged(ctx, s.members, merge, now, steps)
	if err != nil {
		return nil, err
	}
	return done, s.addAdmins(ctx, merge, done)
}

func (s *Service) addAdmins(ctx context.Context, merge *openMerge, steps []step) error {
	var admins []string
	for i := range steps {
		if steps[i].Admin && steps[i].UserID != "" {
			admins = append(admins, steps[i].UserID)
		}
	}
	if len(admins) == 0 {
		return nil
	}
	_, err := s.clinics.UpdateByID(ctx, merge.TargetID, bson.D{
		{Key: "$addToSet", Value: bson.D{{Key: "admins", Value: bson.D{{Key: "$each", Value: admins}}}}},
	})
	return err
}

func (s *Service) logPhase(merge *openMerge, message string, fields ...zap.Field) {
	s.log.Info(message, append(fields, zap.String("clinicId", merge.SourceID.Hex()), zap.String("targetClinicId", merge.TargetID.Hex()))...)
}

func (s *Service) logSteps(merge *openMerge, steps []step, message string) {
	for i := range steps {
		if steps[i].UserID != "" {
			s.logPhase(merge, message, zap.String("kind", string(steps[i].Kind)), zap.String("action", string(steps[i].Action)), zap.String("userId", steps[i].UserID))
		}
	}
}
