package xealth

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// Outcome says what became of an event of an order.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"      // it was applied to its end
	Ignored   Outcome = "ignored"   // nothing is to be done for it (any more)
	Unmatched Outcome = "unmatched" // its clinic or its patient cannot be told
	Failed    Outcome = "failed"    // the order lacks what is needed
	Pending   Outcome = "pending"   // it fits, but was cut short
)

// NeedsHelp reports whether an event was not applied although it should have been.
func (o Outcome) NeedsHelp() bool { return o == Unmatched || o == Failed || o == Pending }

// Reasons of outcomes that are no errors. Those of the others are the ones that Xealth was answered.
const (
	reasonProgramNotOffered = "program_not_offered"
	reasonSuperseded        = "superseded"
	reasonNobodyToCancel    = "nobody_to_cancel"
	reasonCutShort          = "cut_short"
)

var reasonTexts = map[string]string{
	reasonProgramNotOffered: "the clinic does not offer the program",
	reasonSuperseded:        "a later event decided about the order, or about the reports of the patient",
	reasonNobodyToCancel:    "the clinic has no such patient, so that there is nothing to switch off",
	reasonCutShort:          "the event fits, and was cut short",
}

// OrderState says what became of an event of an order, as far as the stored data tell. It holds nothing about the patient.
type OrderState struct {
	ID           bson.ObjectID
	ReceivedTime time.Time
	ReplayedTime *time.Time // when a replay first began to apply it, nil if none did
	Notification Notification
	ClinicID     *bson.ObjectID // nil if the clinic cannot be told
	Outcome      Outcome
	Reason       string // a word that never changes; "" if it is done
	Text         string // the same for people
}

func (o OrderState) because(outcome Outcome, reason string) OrderState {
	o.Outcome, o.Reason, o.Text = outcome, reason, reasonTexts[reason]
	return o
}

// OrderFilter says which events are wanted.
type OrderFilter struct {
	Since      time.Time
	Deployment string // "" means any
	// Before is the id of the event after which the wanted ones come, nil if they begin with the newest.
	Before *bson.ObjectID
	// Unfinished leaves out those of which is known that they were applied.
	Unfinished bool
	// Wanted selects by what became of them.
	Wanted func(OrderState) bool
}

// lookedAt is how many events a page looks at, because each is judged anew.
const lookedAt = 500

// Orders returns up to limit events that the filter admits, newest first, and the id after which to go on, nil at the end. It
// finds out what became of each by matching it anew, and writes nothing. There may be more although it returns few.
func (s *Service) Orders(ctx context.Context, filter OrderFilter, limit int) ([]OrderState, *bson.ObjectID, error) {
	var states []OrderState
	seen := 0
	for event, err := range s.events.all(ctx, filter) {
		var state OrderState
		if err == nil {
			state, err = s.stateOf(ctx, event)
		}
		if err != nil {
			return nil, nil, err
		}
		if filter.Wanted(state) {
			states = append(states, state)
		}
		if seen++; seen == lookedAt || len(states) == limit {
			return states, &state.ID, nil
		}
	}
	return states, nil, nil
}

// stateOf finds out what became of an event, by the order as it is stored.
func (s *Service) stateOf(ctx context.Context, event storedEvent) (OrderState, error) {
	order, err := loadOrder(event.Order)
	return s.judge(ctx, event, order, err)
}

// judge finds out what became of an event whose order is the given one, or cannot be read.
func (s *Service) judge(ctx context.Context, event storedEvent, order Order, unreadable error) (OrderState, error) {
	n := event.Notification
	state := OrderState{ID: event.ID, ReceivedTime: event.ID.Timestamp(), Notification: n}
	if event.Progress != nil {
		state.ReplayedTime = event.Progress.ReplayedTime
	}
	if event.isDone() {
		return state.because(Done, ""), nil
	}
	clinic, err := s.clinicOf(ctx, n.Deployment)
	if err != nil {
		return state.failed(err)
	}
	state.ClinicID = &clinic.ID
	if !offers(clinic, n.ProgramID) {
		return state.because(Ignored, reasonProgramNotOffered), nil
	}
	done, later, err := s.events.siblings(ctx, event)
	switch {
	case err != nil:
		return state, err
	case done:
		return state.because(Done, ""), nil
	case later:
		return state.because(Ignored, reasonSuperseded), nil
	case unreadable != nil:
		return state.failed(errOrderUnreadable)
	}
	return s.judgeEffect(ctx, state, clinic, order)
}

func (s *Service) judgeEffect(ctx context.Context, state OrderState, clinic *clinics.Clinic, order Order) (OrderState, error) {
	m, err := s.matchOrder(ctx, clinic, state.Notification, order)
	if err != nil {
		return state.failed(err)
	}
	state.ClinicID = &m.clinic.ID
	e, err := s.decide(ctx, state.Notification, order, m)
	if err != nil {
		return state.failed(err)
	}
	acted, later := appliedTo(e.patient, state.ID)
	switch {
	case acted:
		return state.because(Done, ""), nil
	case later:
		return state.because(Ignored, reasonSuperseded), nil
	case e.patient == nil && e.added == nil:
		return state.because(Ignored, reasonNobodyToCancel), nil
	default:
		return state.because(Pending, reasonCutShort), nil
	}
}

// appliedTo reports whether the event was applied to the reports of the patient, which may be nil, or a later one was.
func appliedTo(patient *patients.Patient, event bson.ObjectID) (acted, later bool) {
	if patient == nil {
		return false, false
	}
	for _, message := range patient.EHRSubscriptions[patients.XealthReports].MatchedMessages {
		acted = acted || message.ID == event
		later = later || newer(message.ID, event)
	}
	return acted, later
}

var errOrderUnreadable = errs.Because("order_malformed", errs.BadRequestf("the stored order is not in the expected form"))

// failed returns the state of an event that cannot be applied because of the error, or the error itself if it says nothing
// about the event.
func (o OrderState) failed(err error) (OrderState, error) {
	switch {
	case errors.Is(err, errNoClinic), errors.Is(err, errSeveralClinics), errors.Is(err, errSeveralPatients):
		o.Outcome = Unmatched
	case errs.Is(err, errs.BadRequest), errors.Is(err, errPreorderNotFound):
		o.Outcome = Failed
	default:
		return o, err
	}
	o.Reason, o.Text = string(errs.ReasonOf(err)), errs.Public(err)
	return o, nil
}
