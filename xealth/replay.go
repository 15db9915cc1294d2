package xealth

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
)

var (
	errOrderActed     = errs.Because("order_acted", errs.Conflictf("the event was applied"))
	reasonWouldNotAct = errs.NewReason("order_would_not_act")
	errIntegrationOff = reasonWouldNotAct.Of(errs.Conflictf("the order would not act now either: the Xealth integration is off"))
	errNotShown       = reasonWouldNotAct.Of(errs.Conflictf("the order would not act now either: Xealth does not show it any more"))
)

// Replay applies a stored event that was cut short, as if Xealth delivered it again now: it reads the order anew, adds the
// patient if there is none, asks for connections, and switches the reports on or off. It goes on where the event ended, and
// marks it as done, so that all that has happened for it happens no second time, whoever repeats it, and wherever. A repeat of a
// replay that went through is no error.
//
// It returns ErrOrderNotFound, errors of kind Conflict if the event was applied without a replay, or would not be applied now
// either, and those of Notify.
func (s *Service) Replay(ctx context.Context, id bson.ObjectID) error {
	event, done, err := s.toReplay(ctx, id)
	if done || err != nil {
		return err
	}
	order, err := s.orderToReplay(ctx, event)
	if err != nil {
		return err
	}
	// What is known of the patient is enough to wait for the lease. Only then is it looked at what can still be done.
	clinic, err := s.clinicOf(ctx, event.Notification.Deployment)
	if err != nil {
		return wouldNotAct(err)
	}
	m, problem := s.matchOrder(ctx, clinic, event.Notification, order)
	ctx, release, err := s.turn(ctx, m, event.Notification.OrderID)
	if err != nil {
		return err
	}
	defer release()
	if event, done, err = s.toReplay(ctx, id); done || err != nil {
		return err
	}
	if err := s.mayBeReplayed(ctx, event, order); err != nil {
		return err
	}
	if err := s.process(ctx, delivery{event.Notification, &id}, order, m, problem); err != nil {
		return err
	}
	s.log.Info("an event of Xealth was replayed", zap.String("id", id.Hex()))
	return nil
}

// toReplay returns an event, and whether a replay has applied it to its end. One that was applied otherwise is an error.
func (s *Service) toReplay(ctx context.Context, id bson.ObjectID) (event storedEvent, done bool, err error) {
	event, err = s.events.get(ctx, id)
	if err == nil && event.isDone() && !event.wasReplayed() {
		err = errOrderActed
	}
	return event, event.isDone(), err
}

// orderToReplay reads the order from Xealth: a health record may have completed it. Xealth may not show one that was canceled;
// then a cancelation goes by what is stored, and nothing is done for what was canceled.
func (s *Service) orderToReplay(ctx context.Context, event storedEvent) (Order, error) {
	if !s.enabled {
		return Order{}, errIntegrationOff
	}
	order, err := s.readOrder(ctx, event.Notification)
	if errors.Is(err, platform.ErrOrderRefused) {
		return Order{}, errNotShown
	}
	return order, err
}

// mayBeReplayed returns nil if the event would be applied now.
func (s *Service) mayBeReplayed(ctx context.Context, event storedEvent, order Order) error {
	state, err := s.judge(ctx, event, order, nil)
	switch {
	case err != nil:
		return err
	case state.Outcome == Done && event.wasReplayed():
		return nil // it only lacks the mark
	case state.Outcome == Done:
		return errOrderActed
	case state.Outcome != Pending:
		return reasonWouldNotAct.Of(errs.Conflictf("the order would not act now either: %s", state.Text))
	default:
		return nil
	}
}

// wouldNotAct returns the error for an event whose clinic cannot be told.
func wouldNotAct(err error) error {
	if errors.Is(err, errNoClinic) || errors.Is(err, errSeveralClinics) {
		return reasonWouldNotAct.Of(errs.Conflictf("the order would not act now either: %s", errs.Public(err)))
	}
	return err
}
