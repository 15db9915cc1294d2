package redox

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/roster"
)

const (
	// syncLease is the kind of the leases by which syncs of a clinic follow each other.
	syncLease = "redox sync"
	// syncPatience is how long a sync waits for others. It ends before callers and gateways give up.
	syncPatience = 10 * time.Second
)

// SyncClinic schedules reports for every patient of the clinic who has an active subscription, and returns how many. It
// returns clinics.ErrNoMatch if the clinic has no enabled integration with Redox, and store.ErrLeaseHeld if another sync
// takes too long.
//
// What was scheduled before an error stays; a repeat schedules everybody.
func (s *Service) SyncClinic(ctx context.Context, clinicID bson.ObjectID) (int, error) {
	written, err := s.syncClinic(ctx, clinicID)
	s.tallies.Syncs.Add("clinic", outcomeOf(err))
	return written, err
}

func (s *Service) syncClinic(ctx context.Context, clinicID bson.ObjectID) (int, error) {
	enabled, err := s.clinics.HasEHR(ctx, clinicID, clinics.ProviderRedox)
	if err != nil {
		return 0, err
	}
	if !enabled {
		return 0, clinics.ErrNoMatch
	}
	written, err := s.schedule(ctx, []bson.ObjectID{clinicID}, func(ctx context.Context) iter.Seq2[roster.Subscriber, error] {
		return s.roster.ReportSubscribers(ctx, clinicID)
	})
	s.log.Info("reports of a clinic were scheduled", zap.String("clinicId", clinicID.Hex()), zap.Int("reports", written))
	return written, err
}

// SyncPatient schedules reports of the patient for every clinic that has an enabled integration with Redox, wants reports
// after uploads, and has an active subscription for the patient. It returns how many; none is no error. It returns
// store.ErrLeaseHeld if another sync takes too long.
func (s *Service) SyncPatient(ctx context.Context, userID string) (int, error) {
	written, err := s.syncPatient(ctx, userID)
	s.tallies.Syncs.Add("patient", outcomeOf(err))
	return written, err
}

func (s *Service) syncPatient(ctx context.Context, userID string) (int, error) {
	var found []bson.ObjectID
	for subscriber, err := range s.roster.ReportSubscriptions(ctx, userID) {
		if err != nil {
			return 0, err
		}
		found = append(found, subscriber.ClinicID)
	}
	wanted, err := s.clinics.WithReportsOnUpload(ctx, clinics.ProviderRedox, found)
	if err != nil || len(wanted) == 0 {
		return 0, err
	}
	return s.schedule(ctx, slices.Collect(maps.Keys(wanted)), func(ctx context.Context) iter.Seq2[roster.Subscriber, error] {
		return func(yield func(roster.Subscriber, error) bool) {
			for subscriber, err := range s.roster.ReportSubscriptions(ctx, userID) {
				if (err != nil || wanted[subscriber.ClinicID]) && !yield(subscriber, err) {
					return
				}
			}
		}
	})
}

// schedule schedules reports for the subscribers, who are all of these clinics, and returns how many.
//
// Syncs that may be about the same patient follow each other, also across replicas: the documents of each refer to those
// of the one before, by which the worker knows what was sent. Several leases are taken in one order, so that two callers
// never wait for each other.
func (s *Service) schedule(
	ctx context.Context, clinicIDs []bson.ObjectID, subscribers func(context.Context) iter.Seq2[roster.Subscriber, error],
) (int, error) {
	slices.SortFunc(clinicIDs, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) })
	deadline := time.Now().Add(syncPatience)
	for _, id := range clinicIDs {
		working, lease, err := s.leases.Wait(ctx, syncLease, id.Hex(), time.Until(deadline))
		if err != nil {
			return 0, err
		}
		defer lease.Release() //nolint:contextcheck // it is given back although the caller has left
		ctx = working
	}
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return 0, err
	}
	work := s.newScheduling(now)
	for subscriber, err := range subscribers(ctx) {
		if err == nil {
			err = work.add(ctx, subscriber)
		}
		if err != nil {
			return work.written, err
		}
	}
	return work.finish(ctx)
}
