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
// plan has obstacles, and ErrUnderWay if one of them is part of another merge.
//
// After any error that is not one of those, and after a crash, the same call goes on where the merge stopped. No patient
// and no member is ever in neither clinic.
func (s *Service) Merge(ctx context.Context, sourceID, targetID bson.ObjectID) error {
	merge, err := s.claim(ctx, sourceID, targetID)
	if err != nil {
		return err
	}
	var p *Plan
	if merge == nil {
		if merge, p, err = s.begin(ctx, sourceID, targetID); err != nil {
			return err
		}
	} else {
		s.logPhase(merge, "a merge goes on where it stopped")
	}
	held, release := s.hold(ctx, merge)
	defer release()
	err = s.counted(held, merge, func(ctx context.Context) error { return s.run(ctx, merge, p) })
	if err != nil && errors.Is(context.Cause(held), errLost) {
		return ErrUnderWay
	}
	return err
}

// begin plans a merge and writes down that it begins. If the plan has obstacles, nothing is written.
func (s *Service) begin(ctx context.Context, sourceID, targetID bson.ObjectID) (*openMerge, *Plan, error) {
	p, err := s.executable(ctx, sourceID, targetID)
	if err != nil {
		return nil, nil, err
	}
	merge, err := newOpenMerge(p)
	if err != nil {
		return nil, nil, err
	}
	s.logPhase(merge, "a merge begins")
	return merge, p, s.open(ctx, merge)
}

// executable returns the plan, or ErrBlocked if it has obstacles.
func (s *Service) executable(ctx context.Context, sourceID, targetID bson.ObjectID) (*Plan, error) {
	p, err := s.Plan(ctx, sourceID, targetID)
	if err != nil {
		return nil, err
	}
	if found := p.Obstacles(); len(found) > 0 {
		s.log.Error("a merge is refused", zap.String("clinicId", sourceID.Hex()), zap.String("targetClinicId", targetID.Hex()), zap.Any("obstacles", found))
		return nil, ErrBlocked
	}
	return p, nil
}

// counted keeps the census of the target: it is counted anew after the merge, and, if that fails or this process dies, by
// the one that sweeps up after it. COMPAT: a merge does not fail because its patients could not be counted.
//
// The source keeps the count from before the merge as long as all goes well, because the record of its deletion shows it.
func (s *Service) counted(ctx context.Context, merge *openMerge, run func(ctx context.Context) error) error {
	return s.census.RecountAfter(ctx, run, merge.TargetID, merge.Clinics...)
}

// run takes the steps that are left and removes the source. p is the plan, or nil if the merge goes on after a cut.
//
// Between the steps, people go on working in both clinics: what came into the source meanwhile is planned and moved before
// the source goes.
func (s *Service) run(ctx context.Context, merge *openMerge, p *Plan) error {
	for range maxRounds {
		if err := s.prepare(ctx, merge, p); err != nil {
			return err
		}
		p = nil // the steps are in the database, and this may be large
		if err := s.takeSteps(ctx, merge); err != nil {
			return err
		}
		left, err := s.somethingLeft(ctx, merge)
		if err != nil {
			return err
		}
		if !left {
			return s.finish(ctx, merge)
		}
		merge.State, merge.Replanned = planning, true
		if err := s.update(ctx, merge, bson.D{{Key: "state", Value: merge.State}, {Key: "replanned", Value: true}}); err != nil {
			return err
		}
	}
	return clinics.ErrNotEmpty
}

// prepare completes, as far as it is not done yet, what comes before the first step: the list of steps, and the tags and
// sites of the target. Without a plan, what is left is planned; a merge that then turns out to be blocked is forgotten if no
// step was taken yet.
func (s *Service) prepare(ctx context.Context, merge *openMerge, p *Plan) (err error) {
	if merge.State == planning && p == nil {
		p, err = s.executable(ctx, merge.SourceID, merge.TargetID)
		if err != nil && !merge.Replanned && !errs.Is(err, errs.Internal) {
			return errors.Join(err, s.close(ctx, merge))
		}
		if err != nil {
			return err
		}
	}
	if merge.State == planning {
		if err := s.schedule(ctx, merge, p); err != nil {
			return err
		}
	}
	if merge.State == planned {
		s.logPhase(merge, "the target gets tags and sites")
		return s.furnish(ctx, merge)
	}
	return nil
}

func (s *Service) takeSteps(ctx context.Context, merge *openMerge) error {
	for phase := Kind(""); ; {
		steps, err := s.nextSteps(ctx, merge)
		if err != nil || len(steps) == 0 {
			return err
		}
		if steps[0].Kind != phase {
			phase = steps[0].Kind
			s.logPhase(merge, "records are merged", zap.String("kind", string(phase)))
		}
		if err := s.take(ctx, merge, steps); err != nil {
			return err
		}
	}
}

// take takes steps of one kind, and one by one if they do not go together: when a unique index refuses one of them,
// because a clinic changed since the plan was made, that one is left out and planned anew.
func (s *Service) take(ctx context.Context, merge *openMerge, steps []step) error {
	err := s.takeAll(ctx, merge, steps)
	if !errors.Is(err, errRefused) {
		return err
	}
	if len(steps) == 1 {
		s.logSteps(merge, steps, "a record cannot be merged as planned and is planned anew")
		return s.removeSteps(ctx, steps)
	}
	for i := range steps {
		if err := s.take(ctx, merge, steps[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// errRefused tells that a unique index refused a record in the target.
var errRefused = errors.New("the target has such a record already")

// taker carries out steps of one kind and returns those that are done now, be it by this call or before. Those that it
// does not return cannot be done any more, because a record is gone.
type taker func(ctx context.Context, merge *openMerge, target *clinics.Clinic, steps []step) ([]step, error)

func (s *Service) takeAll(ctx context.Context, merge *openMerge, steps []step) error {
	target, err := s.groups(ctx, merge.TargetID)
	if err != nil {
		return err
	}
	kind := steps[0].Kind
	if kind == KindSite {
		if err := s.renameSites(ctx, merge, target, steps); err != nil {
			return err
		}
	}
	takers := map[Kind]taker{KindPatient: s.takePatients, KindMember: s.takeMembers} // tags and sites are there already
	done := steps
	err = s.database.InTx(ctx, func(ctx context.Context) (err error) {
		if take := takers[kind]; take != nil {
			if done, err = take(ctx, merge, target, steps); err != nil {
				return err
			}
		}
		if err := s.record(ctx, done); err != nil {
			return err
		}
		return s.removeSteps(ctx, steps)
	})
	if err == nil {
		s.logSteps(merge, done, "a record is merged")
	}
	return err
}

// somethingLeft reports whether something came into the source that no step took care of.
func (s *Service) somethingLeft(ctx context.Context, merge *openMerge) (bool, error) {
	source, err := s.groups(ctx, merge.SourceID)
	if errs.Is(err, errs.NotFound) {
		return false, nil // it was removed before this merge was cut off
	}
	if err != nil {
		return false, err
	}
	target, err := s.groups(ctx, merge.TargetID)
	if err != nil {
		return false, err
	}
	if len(lacking(target.Sites, source.Sites)) > 0 {
		return true, nil
	}
	if left, err := exists(ctx, s.patients, s.realPatients(merge.SourceID)); left || err != nil {
		return left, err
	}
	return exists(ctx, s.members, ofClinic(merge.SourceID))
}

// finish removes the source and hands its share codes to the target, which is only possible in this order because they
// are unique. The document that closes the merge comes last.
func (s *Service) finish(ctx context.Context, merge *openMerge) error {
	s.logPhase(merge, "the source is removed")
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.remover.Delete(ctx, merge.SourceID, nil); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if err := s.addShareCodes(ctx, merge); err != nil {
			return err
		}
		return s.record(ctx, []step{{ID: documentID(merge.ID, KindClinic, merge.ID), MergeID: merge.ID, Kind: KindClinic, Plan: merge.Clinic}})
	})
	if err != nil {
		return err
	}
	return s.close(ctx, merge)
}
