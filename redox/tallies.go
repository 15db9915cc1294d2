package redox

import (
	"errors"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/tally"
)

// Outcomes, in tallies.
const (
	talliedOK        = "ok"
	talliedFailed    = "failed" // for a reason that is not the sender's
	talliedInvalid   = "invalid"
	talliedNoClinic  = "no clinic"
	talliedClinics   = "several clinics"
	talliedNoPatient = "no patient"
	talliedPatients  = "several patients"
	talliedTooLarge  = "too large"
	talliedRepeated  = "delivered again"
	talliedNoMessage = "no message"
)

// Tallies count what was done in this process.
type Tallies struct {
	Messages *tally.Counter // received, by outcome
	Matches  *tally.Counter // of orders, by outcome
	Syncs    *tally.Counter // by scope and outcome
}

func newTallies() Tallies {
	return Tallies{
		Messages: tally.NewCounter([]string{talliedOK, talliedRepeated, talliedInvalid, talliedTooLarge, talliedFailed}),
		Matches:  tally.NewCounter([]string{talliedOK, talliedNoMessage, talliedNoClinic, talliedClinics, talliedNoPatient, talliedPatients, talliedInvalid, talliedFailed}),
		Syncs:    tally.NewCounter([]string{"clinic", "patient"}, []string{talliedOK, talliedNoClinic, talliedFailed}),
	}
}

// Tallies returns what was counted since the process began.
func (s *Service) Tallies() Tallies { return s.tallies }

func (t Tallies) received(redelivery bool, err error) {
	switch {
	case err == nil && redelivery:
		t.Messages.Add(talliedRepeated)
	case errs.Is(err, errs.TooLarge):
		t.Messages.Add(talliedTooLarge)
	default:
		t.Messages.Add(outcomeOf(err))
	}
}

func (t Tallies) matched(match *Match, patientsWanted bool, err error) {
	switch {
	case err != nil:
		t.Matches.Add(outcomeOf(err))
	case patientsWanted && len(match.Patients) == 0:
		t.Matches.Add(talliedNoPatient)
	case patientsWanted && len(match.Patients) > 1:
		t.Matches.Add(talliedPatients)
	default:
		t.Matches.Add(talliedOK)
	}
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return talliedOK
	case errors.Is(err, ErrMessageNotFound):
		return talliedNoMessage
	case errors.Is(err, clinics.ErrNoMatch):
		return talliedNoClinic
	case errors.Is(err, clinics.ErrMultipleMatches):
		return talliedClinics
	case errs.Is(err, errs.BadRequest):
		return talliedInvalid
	default:
		return talliedFailed
	}
}
