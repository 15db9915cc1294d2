package merge

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// applySteps applies all steps that are left.
func (s *Service) applySteps(ctx context.Context, merge *openMerge) error {
	phase, last := Kind(""), 0
	for {
		steps, err := s.nextSteps(ctx, merge, last)
		if err != nil || len(steps) == 0 {
			return err
		}
		last = steps[len(steps)-1].Order
		if steps[0].Kind != phase {
			phase = steps[0].Kind
			s.logPhase(merge, "records are merged", zap.String("kind", string(phase)))
		}
		if err := s.apply(ctx, merge, steps); err != nil {
			return err
		}
	}
}

// apply applies steps of one kind together, and one by one if a unique index refuses one of them because a clinic changed
// since the plan was made. The refused one is left out and planned anew.
func (s *Service) apply(ctx context.Context, merge *openMerge, steps []step) error {
	err := s.applyTogether(ctx, merge, steps, false)
	if errors.Is(err, errRecorded) || store.IsDeadlock(err) { // cut off when they were applied before, or in the way of others
		err = s.applyTogether(ctx, merge, steps, true)
	}
	if !errors.Is(err, errRefused) {
		return err
	}
	if len(steps) == 1 {
		s.logSteps(merge, steps, "a record cannot be merged as planned and is planned anew")
		return s.removeSteps(ctx, steps)
	}
	for i := range steps {
		if err := s.apply(ctx, merge, steps[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// errRefused tells that a unique index refused a record in the target.
var errRefused = errors.New("the target has such a record already")

func refused(err error) error {
	if store.IsDuplicate(err) {
		return errors.Join(errRefused, err)
	}
	return err
}

// applyTogether applies steps of one kind, stores the plan documents of those that are done, and deletes the steps. Any part
// of it can be repeated. look says whether some of the plan documents may be there already.
func (s *Service) applyTogether(ctx context.Context, merge *openMerge, steps []step, look bool) error {
	target, err := s.targetFor(ctx, merge, steps)
	if err != nil {
		return err
	}
	if steps[0].Kind == KindSite {
		if err := s.renameSites(ctx, merge, target, steps); err != nil {
			return err
		}
	}
	var applied []step
	err = s.database.InTx(ctx, func(ctx context.Context) (err error) {
		if applied, err = s.changeRecords(ctx, merge, target, steps); err != nil {
			return err
		}
		if err := s.record(ctx, applied, look); err != nil {
			return err
		}
		return s.removeSteps(ctx, steps)
	})
	if err == nil {
		s.logSteps(merge, applied, "a record is merged")
	}
	return err
}

// targetFor returns the target with the tags and sites that it has now, or nil if the steps need none.
func (s *Service) targetFor(ctx context.Context, merge *openMerge, steps []step) (*clinics.Clinic, error) {
	if kind := steps[0].Kind; kind == KindSite || (kind == KindPatient && len(changedRecords(steps)) > 0) {
		return s.tagsAndSites(ctx, merge.TargetID)
	}
	return nil, nil
}

// changeRecords returns the steps that are applied now, be it by this call or before. The others cannot be applied any more,
// because a record is gone.
func (s *Service) changeRecords(ctx context.Context, merge *openMerge, target *clinics.Clinic, steps []step) ([]step, error) {
	switch steps[0].Kind {
	case KindPatient:
		return s.changePatients(ctx, merge, target, steps)
	case KindMember:
		return s.changeMembers(ctx, merge, steps)
	default:
		return steps, nil // the target has the tags and sites already
	}
}

// removeMerged removes the records of the source that were merged into one of the target which is still there, and returns
// the steps that are applied. owners are the clinics that the records belong to now. No deletion is recorded: the patient or
// member lives on, and the record would make others delete the account.
func (s *Service) removeMerged(ctx context.Context, collection *mongo.Collection, merge *openMerge, owners map[bson.ObjectID]bson.ObjectID, steps []step) ([]step, error) {
	var applied []step
	var merged []bson.ObjectID
	for i := range steps {
		switch step := &steps[i]; {
		case step.Action == Merge && owners[step.Into] == merge.TargetID:
			merged = append(merged, step.Record)
		case step.Action == Move && owners[step.Record] == merge.TargetID:
		case step.Action == Retain, step.Action == MergeInto:
		default:
			continue
		}
		applied = append(applied, steps[i])
	}
	if len(merged) == 0 {
		return applied, nil
	}
	_, err := collection.DeleteMany(ctx, append(oneOf(merged), ofClinic(merge.SourceID)...))
	return applied, err
}

// changedRecords returns the ids of the records that have to be in the target when the steps are applied.
func changedRecords(steps []step) []bson.ObjectID {
	var ids []bson.ObjectID
	for i := range steps {
		switch steps[i].Action {
		case Move:
			ids = append(ids, steps[i].Record)
		case Merge:
			ids = append(ids, steps[i].Into)
		}
	}
	return ids
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
