package redox

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// Clinics finds clinics by their settings for health records.
type Clinics interface {
	HasEHR(ctx context.Context, id bson.ObjectID, provider string) (bool, error)
	FindByEHRSource(ctx context.Context, provider, sourceID string) (*clinics.Clinic, error)
	WithReportsOnUpload(ctx context.Context, provider string, ids []bson.ObjectID) (map[bson.ObjectID]bool, error)
}

// Subscriptions switches the reports of a patient on and off.
type Subscriptions interface {
	ChangeSubscription(ctx context.Context, clinicID bson.ObjectID, userID string, change patients.SubscriptionChange) error
}

// Roster finds the patients whom an order may mean, and those who are subscribed.
type Roster interface {
	FindByIdentity(ctx context.Context, clinicID bson.ObjectID, who roster.Identity) ([]*patients.Patient, error)
	ReportSubscribers(ctx context.Context, clinicID bson.ObjectID) iter.Seq2[roster.Subscriber, error]
	ReportSubscriptions(ctx context.Context, userID string) iter.Seq2[roster.Subscriber, error]
}

// Params are what the service is made of.
type Params struct {
	fx.In

	Database *store.Database
	Leases   *store.Leases
	Odd      OddDocuments
	Clinics  Clinics
	Patients Subscriptions
	Roster   Roster
	Log      *zap.Logger
}

// Service receives messages, matches orders and schedules reports.
type Service struct {
	messages  *messageStore
	scheduled *scheduleStore
	database  *store.Database
	leases    *store.Leases
	clinics   Clinics
	patients  Subscriptions
	roster    Roster
	tallies   Tallies
	watch     watch
	log       *zap.Logger
}

// NewService returns the service. Who may send messages is decided before they come here.
func NewService(p Params) *Service {
	return &Service{
		messages: newMessageStore(p.Database, p.Odd, p.Log), scheduled: newScheduleStore(p.Database),
		database: p.Database, leases: p.Leases, clinics: p.Clinics, patients: p.Patients, roster: p.Roster, tallies: newTallies(), log: p.Log,
	}
}

// Receive stores the message in a body, whatever it is about. It returns an error of kind BadRequest if the body is not a
// message, and of kind TooLarge if it cannot be stored.
func (s *Service) Receive(ctx context.Context, body []byte) error {
	redelivery, err := s.receive(ctx, body)
	s.tallies.received(redelivery, err)
	return err
}

// receive also reports whether the message was stored before.
func (s *Service) receive(ctx context.Context, body []byte) (bool, error) {
	message, err := parse(body)
	if err != nil {
		s.log.Error("a message of Redox was refused", zap.Any("meta", message.Meta), zap.String("reason", errs.Public(err)))
		return false, err
	}
	message.ID = bson.NewObjectID()
	message.Derived = s.redelivery(ctx, message.Meta.logID())
	document, err := message.encode()
	if err != nil {
		return false, err
	}
	if err := s.messages.insert(ctx, document); err != nil {
		return false, err
	}
	s.log.Info("a message of Redox was stored",
		zap.String("id", message.ID.Hex()), zap.Any("meta", message.Meta), zap.Bool("redelivery", message.Derived != nil))
	return message.Derived != nil, nil
}

// redelivery recognises a message that was stored before. A message is never refused because that could not be found out.
func (s *Service) redelivery(ctx context.Context, logID string) *Derived {
	if logID == "" {
		return nil
	}
	first, err := s.messages.firstDelivery(ctx, logID)
	if err != nil {
		s.log.Warn("earlier deliveries of a message of Redox could not be looked up", zap.Error(err))
		return nil
	}
	if first == nil {
		return nil
	}
	return &Derived{RedeliveryOf: first}
}
