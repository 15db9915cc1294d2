package redox

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// Outcome says what became of an order.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"      // it acted on a patient
	Replayed  Outcome = "replayed"  // it did not act, and was replayed: the outcome is that of the replay
	Ignored   Outcome = "ignored"   // the clinic wants nothing done for its procedure code
	Unmatched Outcome = "unmatched" // its clinic or its patient cannot be told
	Failed    Outcome = "failed"    // it lacks what is needed
	Pending   Outcome = "pending"   // it fits, but the worker did not act on it, or not yet
)

// NeedsHelp reports whether an order did not act although it should have.
func (o Outcome) NeedsHelp() bool { return o == Unmatched || o == Failed || o == Pending }

// OrderState says what became of an order, as far as the stored data tell. It holds nothing about the patient.
type OrderState struct {
	ID            bson.ObjectID
	ReceivedTime  time.Time
	SourceID      string
	ProcedureCode string
	RedeliveryOf  *bson.ObjectID
	ReplayOf      *bson.ObjectID
	Replay        *bson.ObjectID // by which it was replayed
	ClinicID      *bson.ObjectID // nil if the clinic cannot be told
	Outcome       Outcome
	Reason        string // "" if it is done
}

// OrderFilter says which orders are wanted.
type OrderFilter struct {
	Since    time.Time
	SourceID string // "" means any
	// Before is the id of the order after which the wanted ones come, nil if they begin with the newest.
	Before *bson.ObjectID
}

// Orders goes through the new orders that the filter admits, newest first. It finds out what became of each by matching it
// anew, and writes nothing. It ends with the first error.
func (s *Service) Orders(ctx context.Context, filter OrderFilter) iter.Seq2[OrderState, error] {
	return func(yield func(OrderState, error) bool) {
		known := map[string]sourceResult{}
		for message, err := range s.messages.newOrders(ctx, filter) {
			var state OrderState
			if err == nil {
				state, err = s.replayedState(ctx, &message, known)
			}
			if !yield(state, err) || err != nil {
				return
			}
		}
	}
}

// lookedAt is how many orders a page looks at, because each is matched anew.
const lookedAt = 500

// OrderPage is a part of the orders.
type OrderPage struct {
	Orders []OrderState
	Next   *bson.ObjectID // after which the next page begins, nil if there is none
}

// OrderPage returns up to limit orders that the filter admits, and whose outcome is wanted; the page may be short although
// it is not the last.
func (s *Service) OrderPage(ctx context.Context, filter OrderFilter, wanted func(Outcome) bool, limit int) (OrderPage, error) {
	var page OrderPage
	seen := 0
	for state, err := range s.Orders(ctx, filter) {
		if err != nil {
			return OrderPage{}, err
		}
		if wanted(state.Outcome) {
			page.Orders = append(page.Orders, state)
		}
		if seen++; seen == lookedAt || len(page.Orders) == limit {
			page.Next = &state.ID
			break
		}
	}
	return page, nil
}

// Order finds out what became of one new order, as Orders does. It returns ErrMessageNotFound if there is no such order.
func (s *Service) Order(ctx context.Context, id bson.ObjectID) (OrderState, error) {
	message, err := s.messages.newOrder(ctx, id)
	if err != nil {
		return OrderState{}, err
	}
	return s.state(ctx, message, map[string]sourceResult{})
}

// sourceResult is the result of a search for a clinic, which many orders share.
type sourceResult struct {
	clinic *clinics.Clinic
	err    error
}

// replayedState is state for an order that may have been replayed.
func (s *Service) replayedState(ctx context.Context, message *storedMessage, known map[string]sourceResult) (OrderState, error) {
	state, err := s.state(ctx, message, known)
	if err != nil || !state.Outcome.NeedsHelp() {
		return state, err
	}
	state.Replay, err = s.messages.replay(ctx, message.delivery())
	if state.Replay != nil && *state.Replay != message.ID {
		state.Outcome, state.Reason = Replayed, ""
	}
	return state, err
}

func (s *Service) state(ctx context.Context, message *storedMessage, known map[string]sourceResult) (OrderState, error) {
	state := OrderState{ID: message.ID, ReceivedTime: message.ID.Timestamp(), SourceID: message.SourceID, RedeliveryOf: message.RedeliveryOf, ReplayOf: message.ReplayOf}
	found, ok := known[state.SourceID]
	if !ok {
		found.clinic, found.err = s.clinicOf(ctx, message)
		known[state.SourceID] = found
	}
	var err error
	if err = found.err; err == nil {
		state.ClinicID = &found.clinic.ID
		state.Outcome, state.Reason, err = s.outcome(ctx, message, found.clinic)
		state.ProcedureCode, _ = message.order().procedureCode()
	}
	switch {
	case err == nil:
		return state, nil
	case errors.Is(err, clinics.ErrNoMatch), errors.Is(err, clinics.ErrMultipleMatches):
		state.Outcome = Unmatched
	case errs.Is(err, errs.BadRequest):
		state.Outcome = Failed
	default:
		return state, err
	}
	state.Reason = errs.Public(err)
	return state, nil
}

func (s *Service) outcome(ctx context.Context, message *storedMessage, clinic *clinics.Clinic) (Outcome, string, error) {
	o := message.order()
	code, err := o.procedureCode()
	if err != nil {
		return "", "", err
	}
	wanted := purposeOf(clinic.EHRSettings.ProcedureCodes, code)
	if wanted == nil {
		return Ignored, "the clinic has no use for the procedure code", nil
	}
	if _, ok, err := identity(o, clinic.EHRSettings.MRNType()); err != nil || !ok {
		return Unmatched, "the order has no patient identifier of the type that the clinic takes for its MRN", err
	}
	found, err := s.patientsOf(ctx, o, clinic, wanted.criteria)
	if err != nil {
		return "", "", err
	}
	switch {
	case wanted.subscribes && len(found) > 1:
		return Unmatched, "several patients match", nil
	case len(found) == 0 && wanted.creates:
		return Pending, "no account was made", nil
	case len(found) == 0:
		return Unmatched, "no patient matches", nil
	case wanted.subscribes && !actedOn(found[0], message.ID):
		return Pending, "one patient matches, but the order did not act", nil
	default:
		return Done, "", nil
	}
}

func actedOn(patient *patients.Patient, message bson.ObjectID) bool {
	return slices.ContainsFunc(patient.EHRSubscriptions[patients.SummaryAndReports].MatchedMessages,
		func(m patients.MatchedMessage) bool { return m.ID == message })
}

// purpose is what the worker does with an order.
type purpose struct {
	code       func(clinics.EHRProcedures) *string
	criteria   []Criterion
	creates    bool
	subscribes bool
}

// purposes are in the order in which the worker compares codes.
var purposes = []purpose{
	{code: func(p clinics.EHRProcedures) *string { return p.EnableSummaryReports }, criteria: []Criterion{ByMRNAndBirthDate}, subscribes: true},
	{code: func(p clinics.EHRProcedures) *string { return p.DisableSummaryReports }, criteria: []Criterion{ByMRNAndBirthDate}, subscribes: true},
	{code: func(p clinics.EHRProcedures) *string { return p.CreateAccount }, criteria: []Criterion{ByMRN, ByBirthDateAndFullName}, creates: true},
	{code: func(p clinics.EHRProcedures) *string { return p.CreateAccountAndEnableReports }, criteria: []Criterion{ByMRNAndBirthDate}, creates: true, subscribes: true},
}

// purposeOf returns what a code is for in a clinic, nil if for nothing. An empty code is for nothing.
func purposeOf(codes clinics.EHRProcedures, code string) *purpose {
	for i := range purposes {
		if wanted := purposes[i].code(codes); code != "" && wanted != nil && *wanted == code {
			return &purposes[i]
		}
	}
	return nil
}
