package redox

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

const (
	// pendingSince is how far back orders are watched. One that did not act in a day waits for a person, not for the worker.
	pendingSince = 24 * time.Hour
	// pendingLimit bounds how many new orders, and how many pending ones, one look examines; the next one goes on.
	pendingLimit = 200
	// pendingOverlap is looked at again, because the ids of orders follow the clocks of replicas, which differ.
	pendingOverlap = 2 * time.Minute
)

// watch remembers which orders did not act yet, so that each look examines only those and what came since.
type watch struct {
	mu      sync.Mutex
	last    bson.ObjectID // orders up to this one were examined
	pending map[bson.ObjectID]bool
}

// OldestPending returns the age of the oldest order of the last day that fits but did not act yet; 0 if there is none. Orders
// that were delivered again do not count.
func (s *Service) OldestPending(ctx context.Context) (time.Duration, error) {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.begin()
	known := map[string]sourceResult{}
	if len(waiting) > 0 {
		for message, err := range s.messages.withIDs(ctx, waiting) {
			if err == nil {
				err = s.look(ctx, &message, known)
			}
			if err != nil {
				return 0, err
			}
		}
	}
	found := 0
	for message, err := range s.messages.newOrdersAfter(ctx, w.last) {
		if err == nil {
			err = s.look(ctx, &message, known)
		}
		if err != nil {
			return 0, err
		}
		found++
		w.last = message.ID
	}
	if recent := bson.NewObjectIDFromTimestamp(time.Now().Add(-pendingOverlap)); found < pendingLimit && older(recent, w.last) {
		w.last = recent
	}
	return w.oldest(), nil
}

// look finds out whether an order is pending.
func (s *Service) look(ctx context.Context, message *storedMessage, known map[string]sourceResult) error {
	state, err := s.state(ctx, message, known)
	if err != nil {
		return err
	}
	if state.Outcome == Pending && state.RedeliveryOf == nil {
		s.watch.pending[state.ID] = true
	} else {
		delete(s.watch.pending, state.ID)
	}
	return nil
}

// begin forgets what is too old, and returns the oldest of the pending orders.
func (w *watch) begin() []bson.ObjectID {
	first := bson.NewObjectIDFromTimestamp(time.Now().Add(-pendingSince))
	if older(w.last, first) {
		w.last = first
	}
	if w.pending == nil {
		w.pending = map[bson.ObjectID]bool{}
	}
	var waiting []bson.ObjectID
	for id := range w.pending {
		if older(id, first) {
			delete(w.pending, id)
			continue
		}
		waiting = append(waiting, id)
	}
	slices.SortFunc(waiting, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) })
	return waiting[:min(len(waiting), pendingLimit)]
}

func (w *watch) oldest() time.Duration {
	var oldest time.Duration
	for id := range w.pending {
		oldest = max(oldest, time.Since(id.Timestamp()))
	}
	return oldest
}

func older(a, b bson.ObjectID) bool { return bytes.Compare(a[:], b[:]) < 0 }

// newOrdersAfter goes through new orders that are newer than the given one, oldest first, at most pendingLimit. It ends with
// the first error.
func (s *messageStore) newOrdersAfter(ctx context.Context, last bson.ObjectID) iter.Seq2[storedMessage, error] {
	newer := append(newOrders(), bson.E{Key: "_id", Value: bson.D{{Key: "$gt", Value: last}}})
	cursor, err := s.collection.Find(ctx, newer, options.Find().SetSort(store.Ascending("_id")).SetLimit(pendingLimit))
	return s.each(ctx, cursor, err)
}
