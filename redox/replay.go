package redox

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// errOrderActed tells that an order needs no replay.
var errOrderActed = errs.Conflictf("the order has acted, or asks for nothing")

// Replay has an order that did not act do what it would do if it were delivered now, once its clinic and its patient can be
// told: it stores the message again, as a new delivery does, which the worker acts on. It returns the id of the new
// document; that of the first replay if the order was replayed before, or was delivered again and replayed as that.
//
// It returns ErrMessageNotFound, and errors of kind Conflict if the order acted, or would not act now either.
func (s *Service) Replay(ctx context.Context, id bson.ObjectID) (bson.ObjectID, error) {
	message, err := s.messages.newOrder(ctx, id)
	if err != nil {
		return bson.NilObjectID, err
	}
	if before, err := s.messages.replay(ctx, message.delivery()); before != nil || err != nil {
		return idOrNone(before), err
	}
	state, err := s.state(ctx, message, map[string]sourceResult{})
	switch {
	case err != nil:
		return bson.NilObjectID, err
	case !state.Outcome.NeedsHelp():
		return bson.NilObjectID, errOrderActed
	case state.Outcome != Pending:
		return bson.NilObjectID, errs.Conflictf("the order would not act now either: %s", state.Reason)
	}
	return s.deliverAgain(ctx, message)
}

func (s *Service) deliverAgain(ctx context.Context, message *storedMessage) (bson.ObjectID, error) {
	delivery := message.delivery()
	copied := struct {
		Message messageCopy `bson:",inline"`
		Derived Derived     `bson:"derived"`
	}{
		messageCopy{ID: bson.NewObjectID(), Meta: message.Meta, Content: message.Content}, Derived{ReplayOf: &delivery},
	}
	document, err := bson.Marshal(copied)
	if err != nil {
		return bson.NilObjectID, err
	}
	err = s.messages.insert(ctx, document)
	if store.IsDuplicate(err) { // somebody else did the same
		first, err := s.messages.replay(ctx, delivery)
		return idOrNone(first), err
	}
	if err != nil {
		return bson.NilObjectID, err
	}
	s.log.Info("a message of Redox was replayed", zap.String("id", message.ID.Hex()), zap.String("replay", copied.Message.ID.Hex()))
	return copied.Message.ID, nil
}

func idOrNone(id *bson.ObjectID) bson.ObjectID {
	if id == nil {
		return bson.NilObjectID
	}
	return *id
}
