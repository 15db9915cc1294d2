package redox

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Outcome says what became of an order.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"      // it acted on a patient
	Ignored   Outcome = "ignored"   // the clinic wants nothing done for its procedure code
	Unmatched Outcome = "unmatched" // its clinic or its patient cannot be told
	Failed    Outcome = "failed"    // it lacks what is needed
	Pending   Outcome = "pending"   // it fits, but the worker did not act on it, or not yet
)

// OrderState says what became of an order, as far as the stored data tell. It holds nothing about the patient.
type OrderState struct {
	ID            bson.ObjectID
	ReceivedTime  time.Time
	SourceID      string
	ProcedureCode string
	RedeliveryOf  *bson.ObjectID
	ClinicID      *bson.ObjectID // nil if the clinic cannot be told
	Outcome       Outcome
	Reason        string // "" if it is done
}

// OrderFilter says which orders are wanted.
type OrderFilter struct {
	Since    time.Time
	SourceID string // "" means any
}

// Orders goes through the new orders that the filter admits, newest first. It finds out what became of each by matching it
// anew, and writes nothing. It ends with the first error.
func (s *Service) Orders(ctx context.Context, filter OrderFilter) iter.Seq2[OrderState, error] {
	return func(yield func(OrderState, error) bool) {
		known := map[string]sourceResult{}
		for message, err := range s.messages.ordersSince(ctx, filter) {
			var state OrderState
			if err == nil {
				state, err = s.state(ctx, &message, known)
			}
			if !yield(state, err) || err != nil {
				return
			}
		}
	}
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

func (s *Service) state(ctx context.Context, message *Message, known map[string]sourceResult) (OrderState, error) {
	state := OrderState{ID: message.ID, ReceivedTime: message.ID.Timestamp(), SourceID: message.Meta.sourceID()}
	if message.Derived != nil {
		state.RedeliveryOf = message.Derived.RedeliveryOf
	}
	found, ok := known[state.SourceID]
	if !ok {
		found.clinic, found.err = s.clinicOf(ctx, message)
		known[state.SourceID] = found
	}
	var err error
	if err = found.err; err == nil {
		state.ClinicID = &found.clinic.ID
		state.Outcome, state.Reason, err = s.outcome(ctx, message, found.clinic)
		state.ProcedureCode, _ = order{message.Content}.procedureCode()
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

func (s *Service) outcome(ctx context.Context, message *Message, clinic *clinics.Clinic) (Outcome, string, error) {
	o := order{message.Content}
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

// ordersSince goes through stored new orders, newest first, holding a few of them. It ends with the first error.
func (r *Repository) ordersSince(ctx context.Context, filter OrderFilter) iter.Seq2[Message, error] {
	query := append(newOrders(), bson.E{Key: "_id", Value: bson.D{{Key: "$gte", Value: bson.NewObjectIDFromTimestamp(filter.Since)}}})
	if filter.SourceID != "" {
		query = append(query, bson.E{Key: "meta.Source.ID", Value: filter.SourceID})
	}
	cursor, err := r.messages.Find(ctx, query, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}))
	return store.Documents[Message](ctx, cursor, err)
}
