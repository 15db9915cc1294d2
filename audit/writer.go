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
	// restTime is how long an entry waits for others to be written with.
	restTime = 250 * time.Millisecond
	// waiting is how many may wait to be written.
	waiting = 10_000
	// writeTime bounds one write, and pause is between two if the first failed.
	writeTime = 5 * time.Second
	pause     = time.Second
	// tries bounds how often a write is tried again.
	tries = 30
)

// writer writes entries whose outcome is known, many at once, and removes the attempts that they end.
type writer struct {
	trail, attempts *mongo.Collection
	queue           chan line
	log             *zap.Logger
}

// line is an entry to be written.
type line struct {
	entry    Entry
	isStored bool     // whether there may be an older version of it
	ends     *pending // nil for readings
}

func (l line) model() mongo.WriteModel {
	if l.isStored {
		return mongo.NewReplaceOneModel().SetFilter(bson.D{{Key: "_id", Value: l.entry.ID}}).SetReplacement(l.entry).SetUpsert(true)
	}
	return mongo.NewInsertOneModel().SetDocument(l.entry)
}

// later writes in the background.
func (w *writer) later(l line) {
	select {
	case w.queue <- l:
	default:
		w.log.Error("too much waits to be written to the audit trail: an outcome, or a reading, is lost")
	}
}

// run writes until the context ends, and then what is left.
func (w *writer) run(ctx context.Context) {
	always := func(int) bool { return true }
	together(ctx, w.queue, restTime, always, func(lines []line) { w.write(ctx, lines) })
}

// write tries until everything is written.
func (w *writer) write(ctx context.Context, lines []line) {
	for try := 0; ; try++ {
		failed, err := w.attempt(lines) //nolint:contextcheck // what is left is written when the context has ended
		if lines = failed; len(lines) == 0 {
			return
		}
		if err == nil { // they are there in another version, and are replaced now
			continue
		}
		if ctx.Err() != nil || try == tries {
			w.log.Error("outcomes, or readings, could not be written to the audit trail and are lost", zap.Int("lines", len(lines)), zap.Error(err))
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// attempt writes the lines and removes the attempts that need not be kept any more. It returns the lines that were not written, and the
// first error that is more than that an entry was there.
func (w *writer) attempt(lines []line) (failed []line, failure error) {
	models := make([]mongo.WriteModel, 0, len(lines))
	for _, l := range lines {
		models = append(models, l.model())
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	_, err := w.trail.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	var ended bson.A
	for i, l := range lines {
		cause := store.CauseOf(err, i)
		switch {
		case cause == nil:
			if l.ends != nil && l.ends.open.Add(-1) == 0 {
				ended = append(ended, l.ends.id)
			}
			continue
		case !l.isStored && mongo.IsDuplicateKeyError(cause):
			l.isStored = true
		case failure == nil:
			failure = cause
		}
		failed = append(failed, l)
	}
	if len(ended) > 0 {
		// If it fails they are removed when they have become old.
		_, err := w.attempts.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ended}}}})
		if err != nil {
			w.log.Warn("attempts that have ended could not be removed yet", zap.Error(err))
		}
	}
	return failed, failure
}
