package census

import (
	"context"
	"errors"
	"time"

	"github.com/tidepool-org/clinic/internal/tally"
)

// Why patients are counted anew.
const (
	reasonLeft    = "left behind" // a note was
	reasonStale   = "stale"       // the numbers are old
	reasonMissing = "missing"     // there were no numbers, or in an older form
	reasonAsked   = "asked for"   // by a caller, or by work that changed many patients
)

// How a recount ended.
const (
	outcomeOK     = "ok"
	outcomeBusy   = "busy" // the clinic changed all the time
	outcomeFailed = "failed"
)

// Tallies count what the census did in this process.
type Tallies struct {
	Recounts *tally.Counter // by reason and outcome
	Drift    *tally.Counter // recounts that found other numbers than were stored
}

func newTallies() Tallies {
	return Tallies{
		Recounts: tally.NewCounter([]string{reasonLeft, reasonStale, reasonMissing, reasonAsked}, []string{outcomeOK, outcomeBusy, outcomeFailed}),
		Drift:    tally.NewCounter(),
	}
}

func (t Tallies) recounted(reason string, drift Count, err error) {
	switch {
	case errors.Is(err, errBusy):
		t.Recounts.Add(reason, outcomeBusy)
	case err != nil:
		t.Recounts.Add(reason, outcomeFailed)
	default:
		t.Recounts.Add(reason, outcomeOK)
		if !drift.IsZero() && reason != reasonMissing {
			t.Drift.Add()
		}
	}
}

// Tallies returns what the census counted since the process began.
func (s *Service) Tallies() Tallies { return s.tallies }

// Backlog returns how many notes there are, of changes under way and left behind, and how old the oldest is. One that asks for
// a recount is as old as its id, whatever its time says.
func (s *Service) Backlog(ctx context.Context) (notes int64, oldest time.Duration, err error) {
	return s.database.Backlog(ctx, s.notes)
}
