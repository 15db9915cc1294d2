package merge

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
)

// maxRounds bounds how often what came into the source during the merge is planned and moved, too.
const maxRounds = 5

// Merge merges the source into the target. It returns clinics.ErrNotFound if one of them does not exist, ErrBlocked if the
// plan has obstacles, ErrUnderWay if one of them is part of another merge, and ErrBehind if the source does not get empty. What
// their patients' tags are to be is waited for; the error is that of TagChanges if it takes too long.
//
// After any error but the first three, and after a crash, the same call goes on where the merge stopped. No patient and no
// member is ever in neither clinic.
func (s *Service) Merge(ctx context.Context, sourceID, targetID bson.ObjectID) error {
	if err := s.tags.AwaitTagChanges(ctx, sourceID, targetID); err != nil {
		return err
	}
	merge, err := s.claim(ctx, sourceID, targetID)
	if err != nil {
		return err
	}
	s.logPhase(merge, "a merge begins or goes on", zap.String("state", string(merge.State)))
	held, release := s.keep(ctx, merge)
	defer release()
	err = s.execute(held, merge)
	if err != nil && (errors.Is(err, errLost) || errors.Is(context.Cause(held), errLost)) {
		return ErrUnderWay
	}
	return err
}

// execute plans the merge, unless that is done, and runs it. Nothing is counted for a plan that has obstacles.
func (s *Service) execute(ctx context.Context, merge *openMerge) error {
	p, err := s.planOpen(ctx, merge)
	if err != nil {
		return err
	}
	return s.counted(ctx, merge, func(ctx context.Context) error { return s.run(ctx, merge, p) })
}

// planOpen returns the plan of a merge that is still planning, and nil for others. The merge is given up if the plan has
// obstacles.
func (s *Service) planOpen(ctx context.Context, merge *openMerge) (*Plan, error) {
	if merge.State != planning {
		return nil, nil // the steps are there, so no plan is needed
	}
	p, err := s.Plan(ctx, merge.SourceID, merge.TargetID)
	if err == nil {
		err = s.refuse(merge.SourceID, merge.TargetID, p.Obstacles())
	}
	if err != nil && !errs.Is(err, errs.Internal) {
		return nil, errors.Join(err, s.enterBlocked(ctx, merge))
	}
	return p, err
}

// refuse returns ErrBlocked if there are obstacles.
func (s *Service) refuse(sourceID, targetID bson.ObjectID, found []Obstacle) error {
	if len(found) == 0 {
		return nil
	}
	s.log.Error("a merge is refused", zap.String("clinicId", sourceID.Hex()), zap.String("targetClinicId", targetID.Hex()), zap.Any("obstacles", found))
	return ErrBlocked
}

// counted keeps the census of the target: it is counted anew after the merge, and, if that fails or this process dies, by
// the one that sweeps up after it. COMPAT: a merge does not fail because its patients could not be counted.
//
// The source keeps the count from before the merge as long as all goes well, because the record of its deletion shows it.
func (s *Service) counted(ctx context.Context, merge *openMerge, run func(ctx context.Context) error) error {
	return s.census.RecountAfter(ctx, run, merge.TargetID, merge.Clinics...)
}

// run applies the steps that are left and removes the source. p is the plan, or nil if the steps are written already.
//
// Meanwhile, people go on working in both clinics. Before the source goes, what came into it is planned and moved, too.
func (s *Service) run(ctx context.Context, merge *openMerge, p *Plan) (err error) {
	for range maxRounds {
		if p == nil {
			if p, err = s.planOpen(ctx, merge); err != nil {
				return err
			}
		}
		if err := s.prepare(ctx, merge, p); err != nil {
			return err
		}
		p = nil // the steps are in the database, and the plan may be large
		if err := s.applySteps(ctx, merge); err != nil {
			return err
		}
		if finished, err := s.finish(ctx, merge); err != nil || finished {
			return err
		}
		if err := s.enterPlanning(ctx, merge); err != nil {
			return err
		}
	}
	return ErrBehind
}

// prepare does what is left to do before the first step: it writes the steps and gives the target its tags and sites.
func (s *Service) prepare(ctx context.Context, merge *openMerge, p *Plan) error {
	if merge.State == planning {
		if err := s.writeSteps(ctx, merge, p); err != nil {
			return err
		}
		if err := s.enterPlanned(ctx, merge, p); err != nil {
			return err
		}
	}
	if merge.State == planned {
		s.logPhase(merge, "the target gets tags and sites")
		if err := s.addTagsAndSites(ctx, merge); err != nil {
			return err
		}
		return s.enterMoving(ctx, merge)
	}
	return nil
}

// finish removes the source, unless something came into it that no step took care of, and reports whether it did.
func (s *Service) finish(ctx context.Context, merge *openMerge) (bool, error) {
	if left, err := s.somethingLeft(ctx, merge); left || err != nil {
		return false, err
	}
	err := s.removeSource(ctx, merge)
	if errors.Is(err, clinics.ErrNotEmpty) { // a patient came after the look
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.enterDone(ctx, merge)
}

// somethingLeft reports whether something came into the source that no step took care of.
func (s *Service) somethingLeft(ctx context.Context, merge *openMerge) (bool, error) {
	source, err := s.tagsAndSites(ctx, merge.SourceID)
	if errs.Is(err, errs.NotFound) {
		return false, nil // it was removed before this merge was cut off
	}
	if err != nil {
		return false, err
	}
	target, err := s.tagsAndSites(ctx, merge.TargetID)
	if err != nil {
		return false, err
	}
	if len(missingFrom(target.Sites, source.Sites)) > 0 {
		return true, nil
	}
	if left, err := exists(ctx, s.patients, s.realPatients(merge.SourceID)); left || err != nil {
		return left, err
	}
	return exists(ctx, s.members, ofClinic(merge.SourceID))
}

// removeSource removes the source and hands its share codes to the target, which is only possible in this order because
// they are unique. The document that closes the merge comes last.
func (s *Service) removeSource(ctx context.Context, merge *openMerge) error {
	s.logPhase(merge, "the source is removed")
	return s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.remover.Delete(ctx, merge.SourceID, nil); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if err := s.addShareCodes(ctx, merge); err != nil {
			return err
		}
		return s.record(ctx, []step{{ID: documentID(merge.ID, KindClinic, merge.ID), MergeID: merge.ID, Kind: KindClinic, Plan: merge.Clinic}}, true)
	})
}
