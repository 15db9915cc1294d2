package redox

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// SyncClinic schedules reports for every patient of the clinic who has an active subscription, and returns how many. It
// returns clinics.ErrNoMatch if the clinic has no enabled integration with Redox.
//
// What was scheduled before an error stays; a repeat schedules everybody. Calls for the same clinic take turns, so that the
// documents of each refer to those of the one before, by which the worker knows what was sent.
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
	done, err := s.turns.take(ctx, clinicID.Hex())
	if err != nil {
		return 0, err
	}
	defer done()
	work := s.messages.newScheduling(store.Now())
	for subscriber, err := range s.roster.ReportSubscribers(ctx, clinicID) {
		if err == nil {
			err = work.add(ctx, subscriber)
		}
		if err != nil {
			return work.written, err
		}
	}
	written, err := work.finish(ctx)
	s.log.Info("reports of a clinic were scheduled", zap.Stringer("clinicId", clinicID), zap.Int("reports", written))
	return written, err
}

// SyncPatient schedules reports of the patient for every clinic that has an enabled integration with Redox, wants reports
// after uploads, and has an active subscription for the patient. It returns how many; none is no error.
func (s *Service) SyncPatient(ctx context.Context, userID string) (int, error) {
	written, err := s.syncPatient(ctx, userID)
	s.tallies.Syncs.Add("patient", outcomeOf(err))
	return written, err
}

func (s *Service) syncPatient(ctx context.Context, userID string) (int, error) {
	done, err := s.turns.take(ctx, userID)
	if err != nil {
		return 0, err
	}
	defer done()
	var subscribers []roster.Subscriber
	for subscriber, err := range s.roster.ReportSubscriptions(ctx, userID) {
		if err != nil {
			return 0, err
		}
		subscribers = append(subscribers, subscriber)
	}
	wanted, err := s.clinics.WithReportsOnUpload(ctx, clinics.ProviderRedox, clinicsOf(subscribers))
	if err != nil {
		return 0, err
	}
	work := s.messages.newScheduling(store.Now())
	for _, subscriber := range subscribers {
		if !wanted[subscriber.ClinicID] {
			continue
		}
		if err := work.add(ctx, subscriber); err != nil {
			return work.written, err
		}
	}
	return work.finish(ctx)
}

func clinicsOf(subscribers []roster.Subscriber) []bson.ObjectID {
	ids := make([]bson.ObjectID, 0, len(subscribers))
	for _, subscriber := range subscribers {
		if !slices.Contains(ids, subscriber.ClinicID) {
			ids = append(ids, subscriber.ClinicID)
		}
	}
	return ids
}
