package redox

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// Action says what to do with the reports of the patient if an order matches exactly one.
type Action string

// The actions. Nothing is the zero value.
const (
	Nothing        Action = ""
	EnableReports  Action = "ENABLE_REPORTS"
	DisableReports Action = "DISABLE_REPORTS"
)

// PatientOptions says how to find the patients of an order.
type PatientOptions struct {
	Criteria      []Criterion // a patient need meet only one of them
	OnUniqueMatch Action
}

// Match is what an order was matched with.
type Match struct {
	Clinic *clinics.Clinic
	// Patients are as they were before the action, each once, in the order in which the criteria found them.
	Patients []*patients.Patient
}

var (
	// ErrMessageRequired tells that no message was named.
	ErrMessageRequired = errs.Because("message_required", errs.BadRequestf("messageRef is required"))
	// ErrInvalidMessageID tells that an id of a message is not one.
	ErrInvalidMessageID = errs.Because("message_id_invalid", errs.BadRequestf("invalid documentId"))
	// ErrNotANewOrder tells that a message of another model or event was named.
	ErrNotANewOrder = errs.Because("message_not_a_new_order", errs.BadRequestf("only new order messages are supported"))

	errUnknownCriterion = errs.Because("criterion_unknown", errs.BadRequestf("unknown criterion"))

	errNoSource = errs.Because("message_source_missing", errs.BadRequestf("source id is required"))
)

// MatchOrder finds the clinic that a stored new order is meant for and, with options, its patients. If an action is asked
// for and exactly one patient is found, the reports of that patient are switched; a repeat changes nothing more.
//
// It returns ErrMessageNotFound, clinics.ErrNoMatch or clinics.ErrMultipleMatches, and errors of kind BadRequest if the
// order lacks what is needed.
func (s *Service) MatchOrder(ctx context.Context, id bson.ObjectID, options *PatientOptions) (*Match, error) {
	match, err := s.matchOrder(ctx, id, options)
	s.tallies.matched(match, options != nil, err)
	return match, err
}

func (s *Service) matchOrder(ctx context.Context, id bson.ObjectID, options *PatientOptions) (*Match, error) {
	message, err := s.messages.newOrder(ctx, id)
	if err != nil {
		return nil, err
	}
	clinic, err := s.clinicOf(ctx, message)
	if err != nil {
		return nil, err
	}
	match := &Match{Clinic: clinic}
	if options == nil {
		return match, nil
	}
	if match.Patients, err = s.patientsOf(ctx, message.order(), clinic, options.Criteria); err != nil {
		return nil, err
	}
	if options.OnUniqueMatch == Nothing || len(match.Patients) != 1 {
		return match, nil
	}
	return match, s.patients.ChangeSubscription(ctx, clinic.ID, match.Patients[0].UserID, patients.SubscriptionChange{
		Name: patients.SummaryAndReports, Provider: clinics.ProviderRedox, Active: options.OnUniqueMatch == EnableReports,
		Order: patients.MatchedMessage{ID: message.ID, DataModel: dataModelOrder, EventType: eventTypeNew},
	})
}

func (s *Service) clinicOf(ctx context.Context, message *storedMessage) (*clinics.Clinic, error) {
	if message.SourceID == "" {
		return nil, errNoSource
	}
	return s.clinics.FindByEHRSource(ctx, clinics.ProviderRedox, message.SourceID)
}

// patientsOf returns the patients of the clinic whom an order may be about: none if it has no identifier of the type that
// the clinic takes for its MRN.
func (s *Service) patientsOf(ctx context.Context, o order, clinic *clinics.Clinic, by []Criterion) ([]*patients.Patient, error) {
	who, ok, err := identity(o, clinic.EHRSettings.MRNType())
	if err != nil || !ok {
		return nil, err
	}
	lists := make([][]*patients.Patient, 0, len(by))
	for _, criterion := range by {
		compared, ok := criteria[criterion]
		if !ok {
			return nil, errUnknownCriterion
		}
		found, err := s.roster.FindByIdentity(ctx, clinic.ID, compared(who))
		if err != nil {
			return nil, err
		}
		lists = append(lists, found)
	}
	if found := union(lists...); len(found) > 0 {
		return found, nil
	}
	return s.patientsByPrevious(ctx, o, clinic, who, by)
}
