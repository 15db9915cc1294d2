package census

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// RecountAfter does work that changes many patients of a clinic in many steps, and recounts the clinic, and the others, when it
// ends. If the process dies in between, the background recounts the clinic. The error is that of the work.
func (s *Service) RecountAfter(ctx context.Context, work func(ctx context.Context) error, clinicID bson.ObjectID, others ...bson.ObjectID) error {
	change, err := s.leaveNote(ctx, clinicID, 0)
	if err != nil {
		return err
	}
	workErr := s.keepFresh(ctx, change, patience/4, work)
	if errs.Is(workErr, errs.Internal) {
		return workErr // whether it goes on, and where, is not known: the note stays
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*countTime)
	defer cancel()
	// The next recount removes the aged note. If none comes, because this process dies or fails, the background makes one.
	s.background.leaveAlone(clinicID, 2*countTime)
	err = s.ageNote(ctx, change)
	drift, failed := s.Recount(ctx, clinicID)
	if errors.Is(failed, ErrNoClinic) {
		failed = nil
	} else {
		s.report(reasonAsked, clinicID, drift, failed)
	}
	s.background.tried(clinicID, failed)
	err = errorOf(err, failed)
	for _, id := range others {
		if id == clinicID {
			continue
		}
		if failed := s.Refresh(ctx, id); failed != nil && !errors.Is(failed, ErrNoClinic) {
			err = errorOf(err, failed, s.askForRecount(ctx, id))
		}
	}
	if err != nil { // COMPAT: the work does not fail because its patients could not be counted
		s.warn("the patients of a clinic are counted later", clinicID, err)
	}
	return workErr
}

// keepFresh does work whose note must not count as left behind, however long it takes.
func (s *Service) keepFresh(ctx context.Context, change note, every time.Duration, work func(ctx context.Context) error) error {
	renewal, stop := context.WithCancel(ctx)
	var renewed sync.WaitGroup
	defer renewed.Wait()
	defer stop()
	renewed.Go(func() {
		for {
			select {
			case <-renewal.Done():
				return
			case <-time.After(every):
				if err := s.renewNote(renewal, change); err != nil && renewal.Err() == nil {
					s.warn("the note of a long change could not be renewed", change.ClinicID, err)
				}
			}
		}
	})
	return work(ctx)
}
