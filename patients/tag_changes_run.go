package patients

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

const (
	// tagInterval is how often changes are looked for that another process left, unless somebody chose otherwise.
	tagInterval = 2 * time.Second
	// clinicsAtOnce bounds in how many clinics this process makes changes at the same time.
	clinicsAtOnce = 4
	// A change that failed is made again after these times, which grow from the one to the other.
	tagRetryMin = 5 * time.Second
	tagRetryMax = 10 * time.Minute
	// tagBatchTime bounds one batch. When a lease is lost, two processes may be at work for as long, which does no harm.
	tagBatchTime = 20 * time.Second
	// tagGiveUp is how old a change becomes that the database refuses: others of the clinic wait for it.
	tagGiveUp = time.Hour
	// tagLease is what these changes are called among the leases.
	tagLease = "tags"
)

// Run makes the changes of tags of many patients until the context ends, and then returns after the batches that are under way.
func (s *Service) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(s.TagInterval)
	defer ticker.Stop()
	for {
		clinics, err := s.clinicsWithTagChanges(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("the changes of tags could not be read", zap.Error(err))
		}
		for _, id := range clinics {
			if s.tagWork.begin(id) {
				running.Go(func() { s.workOff(ctx, id) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.tagWork.arrived:
		}
	}
}

// workOff makes the changes of a clinic, unless another process does, and tries again if that fails.
func (s *Service) workOff(ctx context.Context, clinicID bson.ObjectID) {
	for pause := tagRetryMin; ; pause = min(2*pause, tagRetryMax) {
		err := s.makeTagChanges(ctx, clinicID)
		if err == nil || errors.Is(err, store.ErrLeaseHeld) || ctx.Err() != nil {
			s.tagWork.end(clinicID)
			if err == nil {
				s.tagWork.wake() // for what came in this moment
			}
			return
		}
		s.log.Warn("the tag of many patients could not be changed; it is tried again", zap.Stringer("clinicId", clinicID), zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// makeTagChanges makes all changes of the clinic. It returns store.ErrLeaseHeld if another process does.
func (s *Service) makeTagChanges(ctx context.Context, clinicID bson.ObjectID) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.tagWork.turns <- struct{}{}:
		defer func() { <-s.tagWork.turns }()
	}
	ctx, lease, err := s.leases.Try(ctx, tagLease, clinicID.Hex())
	if err != nil {
		return err
	}
	defer lease.Release() //nolint:contextcheck // it is given back although the work is over
	for {
		c, err := s.nextTagChange(ctx, clinicID)
		if err != nil || c == nil {
			return err
		}
		if err := s.makeInBatches(ctx, c); err != nil && !errors.Is(err, errCanceled) {
			if err := s.afterFailure(ctx, c, err); err != nil {
				return err
			}
		}
	}
}

// makeInBatches makes what is left of the change. If somebody cancels it meanwhile, it returns errCanceled.
func (s *Service) makeInBatches(ctx context.Context, c *tagChange) error {
	if !c.Done.IsZero() {
		s.logTagChange("the change of a tag of many patients goes on", c)
	}
	ids, err := s.idsOf(ctx, c.left())
	if err != nil {
		return err
	}
	slices.SortFunc(ids, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) })
	for batch := range slices.Chunk(ids, batchSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.makeBatch(ctx, c, batch); err != nil {
			return err
		}
	}
	if err := s.removeTagChange(ctx, c); err != nil {
		return err
	}
	s.tagWork.tell(c.ID, nil)
	s.logTagChange("the change of a tag of many patients is complete", c)
	return nil
}

// makeBatch makes the change in the patients with these ids, and stores that it did. Without transactions, that comes after it: a
// crash in between lets the change be made again in those of one batch who still need it.
func (s *Service) makeBatch(ctx context.Context, c *tagChange, batch []bson.ObjectID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tagBatchTime) // a stop waits for it
	defer cancel()
	done, atOnce := batch[len(batch)-1], s.database.HasTransactions()
	err := s.census.Change(ctx, c.ClinicID, func(ctx context.Context) (census.Count, error) {
		if atOnce {
			if err := s.markTagChange(ctx, c, done); err != nil {
				return census.Count{}, err
			}
		}
		return s.makeTagChange(ctx, c, among(ofClinic(c.ClinicID), batch))
	})
	if err == nil && !atOnce {
		err = s.markTagChange(ctx, c, done)
	}
	return err
}

// afterFailure returns the error if the change is to be made again. It is not if the request that asked for it still waits, and so
// hears the error, or if the database refuses it for too long.
func (s *Service) afterFailure(ctx context.Context, c *tagChange, failure error) error {
	if ctx.Err() != nil {
		return failure
	}
	if !s.tagWork.tell(c.ID, failure) {
		now, err := s.database.ServerTime(ctx)
		if err != nil || !store.IsRefused(failure) || now.Sub(c.Time) < tagGiveUp {
			return failure
		}
		s.log.Error("the change of a tag of many patients is given up", zap.Stringer("clinicId", c.ClinicID), zap.Stringer("tagId", c.TagID), zap.Error(failure))
	}
	return s.removeTagChange(ctx, c)
}
