package redox

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// Service receives messages, matches orders and schedules reports.
type Service struct {
	token    string
	messages *Repository
	clinics  *clinics.Repository
	patients *patients.Repository
	roster   *roster.Service
	turns    turns
	tallies  Tallies
	watch    watch
	log      *zap.Logger
}

// NewService returns a service that accepts nothing from Redox if no token is configured.
func NewService(c config.Redox, messages *Repository, clinics *clinics.Repository, patients *patients.Repository, roster *roster.Service, log *zap.Logger) *Service {
	return &Service{token: string(c.VerificationToken), messages: messages, clinics: clinics, patients: patients, roster: roster, tallies: newTallies(), log: log}
}

var (
	errNoToken    = errs.Unauthorizedf("verification token is required")
	errWrongToken = errs.Unauthorizedf("invalid verification token")
)

// Authenticate returns nil if the token of a message is that of Redox, or an error of kind Unauthorized.
func (s *Service) Authenticate(token string) error {
	err := s.Verify(token)
	if token == "" {
		err = errNoToken
	}
	if err != nil {
		s.tallies.received(false, err)
	}
	return err
}

// Verify is Authenticate for the check of the endpoint, in which a missing token is just a wrong one.
func (s *Service) Verify(token string) error {
	if !auth.SameSecret(token, s.token) {
		return errWrongToken
	}
	return nil
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
		zap.Stringer("id", message.ID), zap.Any("meta", message.Meta), zap.Bool("redelivery", message.Derived != nil))
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
