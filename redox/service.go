package redox

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// Service receives messages, matches orders and schedules reports.
type Service struct {
	messages *Repository
	clinics  *clinics.Repository
	patients *patients.Repository
	roster   *roster.Service
	turns    turns
	log      *zap.Logger
}

// NewService returns a service. Who may send messages is decided before they come here.
func NewService(messages *Repository, clinics *clinics.Repository, patients *patients.Repository, roster *roster.Service, log *zap.Logger) *Service {
	return &Service{messages: messages, clinics: clinics, patients: patients, roster: roster, log: log}
}

// Receive stores the message in a body, whatever it is about. It returns an error of kind BadRequest if the body is not a
// message, and of kind TooLarge if it cannot be stored.
func (s *Service) Receive(ctx context.Context, body []byte) error {
	message, err := parse(body)
	if err != nil {
		s.log.Error("a message of Redox was refused", zap.Any("meta", message.Meta), zap.String("reason", errs.Public(err)))
		return err
	}
	message.ID = bson.NewObjectID()
	message.Derived = s.redelivery(ctx, message.Meta.logID())
	document, err := message.encode()
	if err != nil {
		return err
	}
	if err := s.messages.insert(ctx, document); err != nil {
		return err
	}
	s.log.Info("a message of Redox was stored",
		zap.Stringer("id", message.ID), zap.Any("meta", message.Meta), zap.Bool("redelivery", message.Derived != nil))
	return nil
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
