package xealth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/nonblank"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/patients"
)

// Notification says that something happened to an order. It does not say about whom: the order has to be read.
type Notification struct {
	EventID         string          `json:"eventId" bson:"eventId"`
	EventTimeStamp  time.Time       `json:"eventTimeStamp" bson:"eventTimeStamp"`
	EventType       string          `json:"eventType" bson:"eventType"`
	EventContext    string          `json:"eventContext" bson:"eventContext"`
	OrderID         string          `json:"orderId" bson:"orderId"`
	Deployment      string          `json:"deployment" bson:"deployment"`
	PartnerID       string          `json:"partnerId" bson:"partnerId"`
	ProgramID       string          `json:"programId" bson:"programId"`
	PatientIdentity json.RawMessage `json:"patientIdentity" bson:"-"`
}

const (
	orderEvent  = "order"
	orderNew    = "new"
	orderCancel = "cancel"

	orderStep = "handling new order" // for errors
)

var reasonProgram = errs.NewReason("program_unknown")

// Notify applies an event: a new order switches the reports of the patient on, and adds the patient if there is none; a
// cancelation switches the reports off. What happens last decides. Other events, and those of other programs or of unknown
// deployments, are ignored. An event that was applied is not applied again. One that was cut short resumes when Xealth
// repeats it.
//
// Errors are of kind BadRequest if the order says too little about the patient, NotFound if what was entered into the form
// is not known, Duplicate if several clinics have the deployment or the address is taken, Constraint if several patients
// fit, PaymentRequired if the clinic may have no more patients, and Unavailable while another event of the patient is being
// applied.
func (s *Service) Notify(ctx context.Context, n Notification) (err error) {
	outcome := talliedOK
	defer func() { s.tallies.notified(outcome, err) }()
	if n.EventType != orderEvent || n.EventContext != orderNew && n.EventContext != orderCancel {
		outcome = talliedIgnored
		return nil
	}
	clinic, err := s.clinicOf(ctx, n.Deployment)
	switch {
	case errors.Is(err, errNoClinic), err == nil && !offers(clinic, n.ProgramID):
		outcome = talliedIgnored
		return nil
	case err != nil:
		return during("matching event notification request", err)
	}
	// This comes before the order is read, because Xealth may no longer show a canceled one.
	if done, err := s.events.isDone(ctx, n); err != nil || done {
		outcome = talliedRepeated
		return err
	}
	order, err := s.readOrder(ctx, n)
	if err != nil {
		return err
	}
	m, problem := s.matchOrder(ctx, clinic, n, order)
	ctx, release, err := s.turn(ctx, m, n.OrderID)
	if err != nil {
		return err
	}
	defer release()
	return s.process(ctx, delivery{Notification: n}, order, m, problem)
}

// delivery is a notification that is to be applied.
type delivery struct {
	Notification
	replayOf *bson.ObjectID // the stored event that is replayed, nil if Xealth sent the notification
}

// offers reports whether the clinic offers the program. A clinic that named none offers none, even if the id is empty.
func offers(clinic *clinics.Clinic, programID string) bool {
	code := clinic.EHRSettings.ProcedureCodes.CreateAccountAndEnableReports
	return code != nil && *code == programID
}

// readOrder reads the order from Xealth, or, if Xealth does not show a canceled order any more, from what was stored when
// it was placed.
func (s *Service) readOrder(ctx context.Context, n Notification) (Order, error) {
	content, err := s.source.Order(ctx, n.Deployment, n.OrderID)
	if n.EventContext == orderCancel && errors.Is(err, platform.ErrOrderRefused) {
		return s.events.lastOrder(ctx, n)
	}
	if err != nil {
		return Order{}, err
	}
	return parseOrder(content)
}

// matchOrder returns the clinic that the order is for and what the order says about the patient. With an error it returns
// as much as it found.
func (s *Service) matchOrder(ctx context.Context, clinic *clinics.Clinic, n Notification, order Order) (match, error) {
	if other := order.OrderInfo.Deployment; nonblank.Is(other) && other != n.Deployment {
		named, err := s.clinicOf(ctx, other)
		if err != nil {
			return match{clinic: clinic}, during(orderStep, err)
		}
		clinic = named
	}
	m, err := newMatch(clinic, order.PatientIdentity, order.Datasets)
	return m, during(orderStep, err)
}

// process reads what is left to read, stores the event, and applies it. It stores an event that cannot be applied, too.
func (s *Service) process(ctx context.Context, d delivery, order Order, m match, problem error) error {
	var e effect
	if problem == nil {
		e, problem = s.decide(ctx, d.Notification, order, m)
	}
	stored, err := s.events.store(ctx, d, order, e.added != nil)
	if err != nil || stored.isDone() {
		return err
	}
	switch {
	case errors.Is(problem, errNoClinic):
		s.log.Error("an order is for a deployment that no clinic has", zap.String("orderId", d.OrderID))
	case problem != nil:
		return problem
	default:
		if err := s.apply(ctx, d.Notification, m.clinic, e, stored); err != nil {
			return err
		}
	}
	return s.events.markDone(ctx, stored.ID)
}

// effect is what an event does. It has no effect if there is neither a patient nor one to add.
type effect struct {
	patient *patients.Patient // nil if the clinic has no such patient
	added   *patients.Details // nil if nobody is added
}

// decide returns what the event does. It changes nothing.
func (s *Service) decide(ctx context.Context, n Notification, order Order, m match) (effect, error) {
	patient, err := s.findPatient(ctx, m, m.born)
	if err != nil {
		return effect{}, during(orderStep, err)
	}
	if !offers(m.clinic, n.ProgramID) {
		return effect{}, during("unable to create subscription update", reasonProgram.Of(errs.BadRequestf("unknown program id in order %s", nonblank.First(order.OrderInfo.OrderID, n.OrderID))))
	}
	if patient != nil || n.EventContext == orderCancel {
		return effect{patient: patient}, nil
	}
	details, err := s.newPatient(ctx, m, order)
	return effect{added: details}, err
}

// apply writes the effect of the event.
//
// COMPAT: requests to connect a provider are written after the patient, one by one, because mails are sent for updates
// only. If that was cut short, a repeated event catches up.
func (s *Service) apply(ctx context.Context, n Notification, clinic *clinics.Clinic, e effect, stored storedEvent) error {
	patient := e.patient
	if e.added != nil {
		created, err := s.patients.CreateCustodial(ctx, clinic.ID, *e.added, nil)
		if err != nil {
			return during("unable to create new patient from order", err)
		}
		patient = created
	}
	if patient == nil {
		return nil
	}
	if e.added != nil || stored.mayHaveAdded(patient) {
		if err := s.requestConnections(ctx, patient); err != nil {
			return err
		}
	}
	return s.subscriptions.ChangeSubscription(ctx, clinic.ID, patient.UserID, patients.SubscriptionChange{
		Name:     patients.XealthReports,
		Provider: clinics.ProviderXealth,
		Active:   n.EventContext == orderNew,
		Order:    patients.MatchedMessage{ID: stored.ID, DataModel: n.EventType, EventType: n.EventContext},
	})
}
