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
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/patients"
)

// Notification tells that something happened to an order. It does not say about whom: the order has to be read.
type Notification struct {
	EventID         string          `json:"eventId"`
	EventTimeStamp  time.Time       `json:"eventTimeStamp"`
	EventType       string          `json:"eventType"`
	EventContext    string          `json:"eventContext"`
	OrderID         string          `json:"orderId"`
	Deployment      string          `json:"deployment"`
	PartnerID       string          `json:"partnerId"`
	ProgramID       string          `json:"programId"`
	PatientIdentity json.RawMessage `json:"patientIdentity"`
}

const (
	orderEvent  = "order"
	orderNew    = "new"
	orderCancel = "cancel"
)

func (n Notification) isForUs() bool {
	return n.EventType == orderEvent && (n.EventContext == orderNew || n.EventContext == orderCancel)
}

var reasonProgram = errs.NewReason("program_unknown")

// Notify applies an event: a new order switches the reports of the patient on, and adds the patient if there is none; a
// cancelation switches the reports off. What happens last decides. Other events, and those of other programs or of unknown
// deployments, are ignored. An event that was applied is not applied again, and one that was not applied to its end is
// taken up where it ended when it is repeated.
//
// Errors are of kind BadRequest if the order says too little about the patient, NotFound if what was entered into the form
// is not known, Duplicate if several clinics have the deployment or the address is taken, Constraint if several patients
// fit, PaymentRequired if the clinic may have no more patients, and Unavailable while another event of the patient is being
// applied.
func (s *Service) Notify(ctx context.Context, n Notification) error {
	if !n.isForUs() {
		return nil
	}
	clinic, err := s.clinics.FindByEHRSource(ctx, clinics.ProviderXealth, n.Deployment)
	switch {
	case errors.Is(err, clinics.ErrNoMatch):
		return nil
	case errors.Is(err, clinics.ErrMultipleMatches):
		return during("matching event notification request", errSeveralClinics)
	case err != nil:
		return err
	case !isProgramOf(clinic, n.ProgramID):
		return nil
	}
	return s.process(ctx, clinic, n)
}

// isProgramOf reports whether the clinic ordered the program. A clinic that named none has none, even if the id is empty.
func isProgramOf(clinic *clinics.Clinic, programID string) bool {
	code := clinic.EHRSettings.ProcedureCodes.CreateAccountAndEnableReports
	return code != nil && *code == programID
}

func (s *Service) process(ctx context.Context, clinic *clinics.Clinic, n Notification) error {
	// Before the order is read: that of a canceled order can fail.
	if done, err := s.orders.isDone(ctx, n); err != nil || done {
		return err
	}
	order, data, err := s.readOrder(ctx, n)
	if err != nil {
		return err
	}
	ctx, release, err := s.turns.take(ctx, turnOf(clinic, n, order))
	if err != nil {
		return err
	}
	defer release()
	record, err := s.orders.record(ctx, n, data)
	if err != nil || record.done() {
		return err
	}
	if err := s.apply(ctx, n, order, record); err != nil {
		return err
	}
	return s.orders.finish(ctx, record.ID)
}

// turnOf names what must not be worked on twice at once: the patient, because two orders would both add the patient.
func turnOf(clinic *clinics.Clinic, n Notification, order Order) string {
	if mrn := order.PatientIdentity.mrn(clinic); mrn != "" {
		return clinic.ID.Hex() + " patient " + mrn
	}
	return clinic.ID.Hex() + " order " + n.OrderID
}

// readOrder reads the order from Xealth, or, if Xealth does not show a canceled order any more, from what was stored when
// it was placed. It returns the order as it is used and as it is stored.
func (s *Service) readOrder(ctx context.Context, n Notification) (Order, bson.D, error) {
	content, err := s.source.Order(ctx, n.Deployment, n.OrderID)
	if n.EventContext == orderCancel && errors.Is(err, platform.ErrOrderRefused) {
		return s.orders.newest(ctx, n.Deployment, n.OrderID)
	}
	if err != nil {
		return Order{}, nil, err
	}
	var order Order
	if err := json.Unmarshal(content, &order); err != nil {
		return Order{}, nil, errors.New("the order that was read is not in the expected form") // the cause may repeat data of the patient
	}
	data, err := storedOrder(content)
	return order, data, err
}

// apply does what the event asks for. The clinic is that of the order, which can differ from the notification's.
func (s *Service) apply(ctx context.Context, n Notification, order Order, record orderRecord) error {
	const step = "handling new order"
	m, err := s.matchClinic(ctx, order.request())
	if errs.Is(err, errs.NotFound) {
		s.log.Error("an order is for a deployment that no clinic has", zap.String("orderId", n.OrderID))
		return nil
	}
	if err != nil {
		return during(step, err)
	}
	patient, err := s.patient(ctx, m)
	if err != nil {
		return during(step, err)
	}
	if !isProgramOf(m.clinic, n.ProgramID) {
		return during("unable to create subscription update", reasonProgram.Of(errs.BadRequestf("unknown program id in order %s", order.OrderInfo.OrderID)))
	}
	if patient == nil && n.EventContext == orderCancel {
		return nil
	}
	userID, err := s.ensurePatient(ctx, m, patient, order, record)
	if err != nil {
		return err
	}
	return s.patients.ChangeSubscription(ctx, m.clinic.ID, userID, patients.SubscriptionChange{
		Name:     patients.XealthReports,
		Provider: clinics.ProviderXealth,
		Active:   n.EventContext == orderNew,
		Order:    patients.MatchedMessage{ID: record.ID, DataModel: n.EventType, EventType: n.EventContext},
	})
}
