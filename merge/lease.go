package merge

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/store"
)

// An open merge has a lease, which one process has at a time. Whoever has it renews it now and then; when it has run out,
// another process may take it. Its times are the database's own, because the clocks of replicas differ.

const (
	// defaultLeaseTime is long enough for a process that is slow, and short enough for a caller who waits.
	defaultLeaseTime = 5 * time.Second
	// renewTime is how often a lease is renewed.
	renewTime = time.Second
	// releaseTime bounds how long giving back a lease takes, which also happens when the caller has gone.
	releaseTime = 5 * time.Second
)

// errLost tells that another process has the lease.
var errLost = errors.New("another process has taken the merge over")

// claim returns the open merge of the two clinics with the lease for it, and opens one if there is none. It waits for a
// lease that may run out, and returns ErrUnderWay if it is renewed.
func (s *Service) claim(ctx context.Context, sourceID, targetID bson.ObjectID) (*openMerge, error) {
	pair := bson.D{{Key: "sourceId", Value: sourceID}, {Key: "targetId", Value: targetID}}
	for deadline := time.Now().Add(2 * s.LeaseTime); ; {
		merge, err := s.acquire(ctx, pair)
		if merge != nil || err != nil {
			return merge, err
		}
		open, err := exists(ctx, s.merges, pair)
		if err != nil {
			return nil, err
		}
		if !open {
			if err := s.open(ctx, sourceID, targetID); err != nil {
				return nil, err
			}
			continue
		}
		if time.Now().After(deadline) {
			return nil, ErrUnderWay
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(s.LeaseTime / 20):
		}
	}
}

// acquire takes the lease of an open merge that matches and whose lease has run out. It returns nil if there is none.
func (s *Service) acquire(ctx context.Context, filter bson.D) (*openMerge, error) {
	now, err := s.databaseTime(ctx)
	if err != nil {
		return nil, err
	}
	holder := bson.NewObjectID()
	result, err := s.merges.UpdateOne(ctx,
		append(filter[:len(filter):len(filter)], bson.E{Key: "heldUntil", Value: bson.D{{Key: "$lt", Value: now}}}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: holder}, {Key: "heldUntil", Value: now.Add(s.LeaseTime)}}}})
	if store.IsDeadlock(err) { // others ask for the same
		return nil, nil
	}
	if err != nil || result.MatchedCount == 0 {
		return nil, err
	}
	return s.openMerge(ctx, bson.D{{Key: "holder", Value: holder}})
}

// keep renews the lease until the returned function is called, which gives it back. The returned context ends when another
// process has taken the lease.
func (s *Service) keep(ctx context.Context, merge *openMerge) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	id, holder := merge.ID, merge.Holder
	go func() {
		defer close(stopped)
		if s.renewUntilLost(ctx, id, holder) {
			cancel(errLost)
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-stopped
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer done()
		if _, err := s.setHeldUntil(ctx, id, holder, time.Time{}); err != nil {
			s.log.Warn("the lease of a merge could not be given back and has to run out", zap.String("clinicId", merge.SourceID.Hex()), zap.Error(err))
		}
	}
}

// renewUntilLost renews the lease until the context ends or the merge is complete. It reports whether another process has
// taken the lease.
func (s *Service) renewUntilLost(ctx context.Context, id, holder bson.ObjectID) bool {
	ticker := time.NewTicker(renewTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			now, err := s.databaseTime(ctx)
			if err != nil {
				continue // what the database does not answer now, it may answer next time
			}
			if renewed, err := s.setHeldUntil(ctx, id, holder, now.Add(s.LeaseTime)); err != nil || renewed {
				continue
			}
			stored, err := s.openMerge(ctx, byID(id))
			if err != nil || (stored != nil && stored.Holder == holder) {
				continue
			}
			return stored != nil
		}
	}
}

// setHeldUntil changes when the lease runs out, and reports whether the holder still has it.
func (s *Service) setHeldUntil(ctx context.Context, id, holder bson.ObjectID, until time.Time) (bool, error) {
	result, err := s.merges.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: id}, {Key: "holder", Value: holder}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "heldUntil", Value: until}}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// databaseTime returns what the clock of the database shows. The answer to hello has it on every engine; not all know the
// variable $$NOW.
func (s *Service) databaseTime(ctx context.Context) (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	err := s.database.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	return hello.LocalTime.UTC(), err
}
