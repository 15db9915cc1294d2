package xealth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// turns lets one process at a time work on a thing, across all processes that share the database. It has a collection of
// its own, which no other service watches.
type turns struct {
	collection *mongo.Collection
	patience   time.Duration // how long to wait for a turn
	log        *zap.Logger
}

const (
	// turnTime is how long a turn lasts at most. After that, the process that had it must be dead.
	turnTime = 2 * time.Minute
	// turnWork is when the work of a turn is given up, so that it surely ends before the turn does.
	turnWork = turnTime - 20*time.Second
	// turnPatience leaves time to answer: Xealth waits 29 seconds.
	turnPatience = 20 * time.Second
	turnPoll     = 50 * time.Millisecond
	// turnRetention is when the database removes turns that dead processes left.
	turnRetention = 24 * time.Hour
)

var errBusy = errs.Because("busy", errs.Unavailablef("another event of the same patient is being handled"))

// take waits for the turn at the thing. It returns the context in which the work is to be done and a function that ends
// the turn; or an error of kind Unavailable if that takes too long.
func (t turns) take(ctx context.Context, thing string) (context.Context, func(), error) {
	// The name may hold an identifier of a patient, which has no business in this collection.
	sum := sha256.Sum256([]byte(strings.ToLower(thing)))
	key, holder := hex.EncodeToString(sum[:]), bson.NewObjectID()
	deadline := time.Now().Add(t.patience)
	for {
		mine, err := t.try(ctx, key, holder)
		if err != nil {
			return nil, nil, err
		}
		if mine {
			working, cancel := context.WithTimeout(ctx, turnWork)
			return working, func() { cancel(); t.end(ctx, key, holder) }, nil
		}
		if time.Now().After(deadline) {
			return nil, nil, errBusy
		}
		select {
		case <-time.After(turnPoll):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// try takes the turn if nobody has it. If somebody does, the insert collides.
func (t turns) try(ctx context.Context, key string, holder bson.ObjectID) (bool, error) {
	now := store.Now()
	_, err := t.collection.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: key}, {Key: "until", Value: bson.D{{Key: "$lt", Value: now}}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: now.Add(turnTime)}, {Key: "holder", Value: holder}}}},
		options.UpdateOne().SetUpsert(true))
	if store.IsDuplicate(err) {
		return false, nil
	}
	return err == nil, err
}

func (t turns) end(ctx context.Context, key string, holder bson.ObjectID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := t.collection.DeleteOne(ctx, bson.D{{Key: "_id", Value: key}, {Key: "holder", Value: holder}}); err != nil {
		t.log.Warn("a turn could not be ended; it ends by itself", zap.Error(err))
	}
}
