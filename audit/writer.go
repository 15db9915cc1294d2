package audit

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"
)

const (
	// atOnce is how many entries and outcomes are written together at most.
	atOnce = 500
	// waiting is how many may wait to be written.
	waiting = 10_000
	// writeTime bounds one attempt, and pause is between two.
	writeTime = 5 * time.Second
	pause     = time.Second
	// attempts bounds how often what nobody waits for is tried again.
	attempts = 30
)

// writer writes what many requests have to say together: what arrives while it writes waits for the next time.
type writer struct {
	collection *mongo.Collection
	queue      chan line
	log        *zap.Logger
}

// line is something to be written.
type line struct {
	model mongo.WriteModel
	done  chan<- error // nil if nobody waits
}

func newWriter(collection *mongo.Collection, log *zap.Logger) *writer {
	return &writer{collection: collection, queue: make(chan line, waiting), log: log}
}

// insert stores an entry and waits for it.
func (w *writer) insert(ctx context.Context, entry Entry) error {
	done := make(chan error, 1)
	select {
	case w.queue <- line{mongo.NewInsertOneModel().SetDocument(entry), done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// later writes in the background.
func (w *writer) later(model mongo.WriteModel) {
	select {
	case w.queue <- line{model: model}:
	default:
		w.log.Error("too much waits to be written to the audit trail: an outcome, or a reading, is lost")
	}
}

// run writes until the context ends, and then what is left.
func (w *writer) run(ctx context.Context) {
	for {
		select {
		case first := <-w.queue:
			w.write(ctx, w.collect(first))
		case <-ctx.Done():
			for len(w.queue) > 0 {
				w.write(ctx, w.collect(<-w.queue))
			}
			return
		}
	}
}

// collect adds to the first line what waits already.
func (w *writer) collect(first line) []line {
	lines := []line{first}
	for len(lines) < atOnce {
		select {
		case next := <-w.queue:
			lines = append(lines, next)
		default:
			return lines
		}
	}
	return lines
}

// write tries until everything that nobody waits for is written. Who waits is told after the first attempt.
func (w *writer) write(ctx context.Context, lines []line) {
	for attempt := 0; len(lines) > 0; attempt++ {
		failed, err := w.attempt(lines) //nolint:contextcheck // what is left is written when the context has ended
		lines = lines[:0]
		for _, l := range failed {
			if l.done == nil {
				lines = append(lines, l)
			}
		}
		if len(lines) == 0 {
			return
		}
		if ctx.Err() != nil || attempt == attempts {
			w.log.Error("outcomes, or readings, could not be written to the audit trail and are lost", zap.Int("lines", len(lines)), zap.Error(err))
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// attempt writes the lines, tells those who wait, and returns the lines that were not written.
func (w *writer) attempt(lines []line) (failed []line, err error) {
	models := make([]mongo.WriteModel, 0, len(lines))
	for _, l := range lines {
		models = append(models, l.model)
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	_, err = w.collection.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	bad := failures(err, len(lines))
	for i, l := range lines {
		cause := bad(i)
		if cause != nil {
			failed = append(failed, l)
		}
		if l.done != nil {
			l.done <- cause
		}
	}
	return failed, err
}

// failures returns the error of each line. An insert that is there already was carried out by an attempt before.
func failures(err error, lines int) func(i int) error {
	var bulk mongo.BulkWriteException
	if err == nil || !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return func(int) error { return err }
	}
	causes := make([]error, lines)
	for _, failure := range bulk.WriteErrors {
		if !mongo.IsDuplicateKeyError(failure) {
			causes[failure.Index] = failure
		}
	}
	return func(i int) error { return causes[i] }
}
