package xealth

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/tally"
	"github.com/tidepool-org/clinic/store"
)

// Outcomes, in tallies.
const (
	talliedOK       = "ok"
	talliedIgnored  = "ignored" // the event is of no use here
	talliedRepeated = "delivered again"
	talliedFailed   = "failed" // for a reason that is not the sender's
)

// refusals are the outcomes for kinds of errors.
var refusals = map[errs.Kind]string{
	errs.BadRequest: "incomplete", errs.NotFound: "unknown form", errs.Duplicate: "several clinics or address taken",
	errs.Constraint: "several patients", errs.PaymentRequired: "patient limit", errs.Unavailable: "busy",
}

// Tallies count what was done in this process.
type Tallies struct {
	Events    *tally.Counter // received, by outcome
	TurnWaits *tally.Times   // of events, until nobody else worked on the patient
}

func newTallies() Tallies {
	outcomes := []string{talliedOK, talliedIgnored, talliedRepeated, talliedFailed}
	for _, outcome := range refusals {
		outcomes = append(outcomes, outcome)
	}
	return Tallies{Events: tally.NewCounter(outcomes), TurnWaits: tally.NewTimes(.01, .05, .1, .5, 1, 2.5, 5, 10, 20)}
}

// Tallies returns what was counted since the process began.
func (s *Service) Tallies() Tallies { return s.tallies }

func (t Tallies) notified(what string, err error) {
	if err != nil {
		var ok bool
		if what, ok = refusals[errs.KindOf(err)]; !ok {
			what = talliedFailed
		}
	}
	t.Events.Add(what)
}

// pendingSince is how far back events are watched. Older writers marked none as applied, and one that was not applied in a day
// waits for a person.
const pendingSince = 24 * time.Hour

// OldestPending returns the age of the oldest event of the last day that was stored but not applied to its end; 0 if there is
// none.
func (s *Service) OldestPending(ctx context.Context) (time.Duration, error) {
	var found storedEvent
	err := s.events.collection.FindOne(ctx,
		bson.D{
			{Key: "_id", Value: bson.D{{Key: "$gte", Value: bson.NewObjectIDFromTimestamp(time.Now().Add(-pendingSince))}}},
			{Key: "derived.completedTime", Value: nil},
		},
		options.FindOne().SetSort(store.Ascending("_id")).SetProjection(progressOnly)).Decode(&found)
	if store.IsNotFound(err) {
		return 0, nil
	}
	return max(0, time.Since(found.ID.Timestamp())), err
}
