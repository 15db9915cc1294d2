package audit

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/store"
)

const (
	// attemptTime is after how long attempts become entries of the trail although their outcome is not known.
	attemptTime = time.Minute
	sweepTime   = 30 * time.Second
)

// sweep moves to the trail, now and then until the context ends, what processes that died, or are at it for long, have attempted. An
// entry that the trail has keeps its outcome, and one that was moved gets it when it is known; so any process may sweep at any time.
func (t *Trail) sweep(ctx context.Context) {
	for {
		if err := t.moveAttempts(ctx, time.Now().Add(-attemptTime)); err != nil && ctx.Err() == nil {
			t.log.Warn("attempts could not be moved to the audit trail; they will be", zap.Error(err))
		}
		select {
		case <-time.After(sweepTime):
		case <-ctx.Done():
			return
		}
	}
}

// moveAttempts moves what was begun before the time.
func (t *Trail) moveAttempts(ctx context.Context, before time.Time) error {
	old := bson.D{{Key: "_id", Value: bson.D{{Key: "$lt", Value: bson.NewObjectIDFromTimestamp(before)}}}}
	cursor, err := t.attempts.Find(ctx, old)
	for left, err := range store.Documents[attempts](ctx, cursor, err) {
		if err != nil {
			return err
		}
		_, err = t.trail.InsertMany(ctx, left.Entries, options.InsertMany().SetOrdered(false))
		for i := range left.Entries {
			if cause := store.CauseOf(err, i); cause != nil && !mongo.IsDuplicateKeyError(cause) {
				return cause
			}
		}
		if _, err := t.attempts.DeleteOne(ctx, bson.D{{Key: "_id", Value: left.ID}}); err != nil {
			return err
		}
	}
	return nil
}
