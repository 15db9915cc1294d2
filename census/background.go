package census

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	// maxAge is the age at which numbers are counted anew although nothing seems to be wrong: a writer that knows nothing of
	// the census may have changed patients.
	maxAge = 15 * time.Minute
	// sweepInterval is how often notes are looked for that were left behind, unless somebody chose otherwise.
	sweepInterval = 2 * time.Second
	// maxWanted bounds how many clinics wait in this process for a recount that nobody is in need of.
	maxWanted = 1000
	// A clinic that cannot be counted is tried again after these times, which grow from the one to the other.
	retryMin = 5 * time.Second
	retryMax = 10 * time.Minute
	// retryBusy is when a clinic is tried again that changed all the time.
	retryBusy = time.Second
	// leaseKind is what recounts are called among the leases.
	leaseKind = "recount"
)

// background is what waits for a recount in this process.
type background struct {
	mu      sync.Mutex
	wanted  map[bson.ObjectID]string // why
	failed  map[bson.ObjectID]failure
	arrived chan struct{}
}

type failure struct {
	pause time.Duration
	until time.Time
}

func newBackground() *background {
	return &background{wanted: map[bson.ObjectID]string{}, failed: map[bson.ObjectID]failure{}, arrived: make(chan struct{}, 1)}
}

// want asks for a recount. It does nothing if too many wait: the clinic is noticed again.
func (b *background) want(clinicID bson.ObjectID, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wanted) < maxWanted {
		b.wanted[clinicID] = reason
	}
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

// take returns the clinics that wait, and why, and forgets them.
func (b *background) take() map[bson.ObjectID]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.wanted
	b.wanted = map[bson.ObjectID]string{}
	return taken
}

// leaveAlone lets a clinic wait that somebody else in this process is about to count, until it was tried, or the time is over.
func (b *background) leaveAlone(clinicID bson.ObjectID, most time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[clinicID] = failure{until: time.Now().Add(most)}
}

func (b *background) mayTry(clinicID bson.ObjectID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !time.Now().Before(b.failed[clinicID].until)
}

func (b *background) tried(clinicID bson.ObjectID, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		delete(b.failed, clinicID)
		return
	}
	pause := min(max(2*b.failed[clinicID].pause, retryMin), retryMax)
	if errors.Is(err, errBusy) {
		pause = retryBusy
	}
	b.failed[clinicID] = failure{pause: pause, until: time.Now().Add(pause)}
}

// Run mends numbers in the background until the context ends.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(s.SweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("the notes of the census could not be read", zap.Error(err))
			}
		case <-s.background.arrived:
			for id, reason := range s.background.take() {
				s.mendAll(ctx, reason, id)
			}
		}
	}
}

// Sweep counts the patients of every clinic for which a note was left behind, and returns how many clinics it mended. A clinic
// that cannot be counted does not keep it from the others.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	left, err := s.clinicsLeft(ctx)
	if err != nil {
		return 0, err
	}
	return s.mendAll(ctx, reasonLeft, left...), nil
}

func (s *Service) mendAll(ctx context.Context, reason string, clinicIDs ...bson.ObjectID) int {
	mended := 0
	for _, id := range clinicIDs {
		if ctx.Err() != nil || !s.background.mayTry(id) {
			continue
		}
		err := s.mend(ctx, reason, id)
		s.background.tried(id, err)
		switch {
		case err == nil:
			mended++
		case !errors.Is(err, errBusy) && ctx.Err() == nil:
			s.warn("the patients of a clinic could not be counted", id, err)
		}
	}
	return mended
}

// mend recounts a clinic, unless another process does so.
func (s *Service) mend(ctx context.Context, reason string, clinicID bson.ObjectID) error {
	ctx, lease, err := s.leases.Try(ctx, leaseKind, clinicID.Hex())
	if errors.Is(err, store.ErrLeaseHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lease.Release() //nolint:contextcheck // it is given back although the work is over
	ctx, cancel := context.WithTimeout(ctx, 2*countTime)
	defer cancel()
	drift, err := s.Recount(ctx, clinicID)
	if errs.Is(err, errs.NotFound) {
		return s.forgetGone(ctx, clinicID)
	}
	s.report(reason, clinicID, drift, err)
	return err
}

// forgetGone removes what is left of a clinic that does not exist any more.
func (s *Service) forgetGone(ctx context.Context, clinicID bson.ObjectID) error {
	left, _, err := s.notesOf(ctx, clinicID)
	if err != nil {
		return err
	}
	if err := s.removeNotes(ctx, left); err != nil {
		return err
	}
	return s.Forget(ctx, clinicID)
}

func (s *Service) warn(what string, clinicID bson.ObjectID, err error) {
	s.log.Warn(what, zap.Stringer("clinicId", clinicID), zap.Error(err))
}
