package audit

import (
	"context"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// AttemptsCollectionName is the collection of entries whose outcome is not known yet. No other service reads it.
const AttemptsCollectionName = "audit_attempts"

const (
	// gatherTime is how long a request waits for others to be stored with, while others are at work.
	gatherTime = 5 * time.Millisecond
	// startsAtOnce is how many are stored with one write at most.
	startsAtOnce = 500
)

// attempts are the entries of requests that began together. One write stores them, without any index but that of ids, before the
// requests go on: the entry of each, with all its indexes, is then written once, when its outcome is known.
type attempts struct {
	ID      bson.ObjectID `bson:"_id"`
	Entries []Entry       `bson:"entries"`

	open atomic.Int32 // entries that the trail does not have yet
}

// beginner stores attempts.
type beginner struct {
	collection *mongo.Collection
	queue      chan start
	open       atomic.Int32 // requests that are at work, or about to be
}

// start is a request that waits for its attempt to be stored.
type start struct {
	entry Entry
	done  chan<- begun
}

type begun struct {
	attempts *attempts
	err      error
}

// begin stores the attempt of a request, together with those of others, and waits for it.
func (b *beginner) begin(ctx context.Context, entry Entry) (*attempts, error) {
	done := make(chan begun, 1)
	select {
	case b.queue <- start{entry, done}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case result := <-done:
		return result.attempts, result.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run stores attempts until the context ends, and then those who wait.
func (b *beginner) run(ctx context.Context) {
	for {
		select {
		case first := <-b.queue:
			b.store(b.gather(ctx, first)) //nolint:contextcheck // who waits is not left alone when the service stops
		case <-ctx.Done():
			for len(b.queue) > 0 {
				b.store(b.gather(ctx, <-b.queue)) //nolint:contextcheck // as above
			}
			return
		}
	}
}

// gather adds to the first request those that wait already and, if others are at work, those that come soon.
func (b *beginner) gather(ctx context.Context, first start) []start {
	all := []start{first}
	soon := time.NewTimer(gatherTime)
	defer soon.Stop()
	for len(all) < startsAtOnce && (len(b.queue) > 0 || int(b.open.Load()) > len(all)) {
		select {
		case next := <-b.queue:
			all = append(all, next)
		case <-soon.C:
			return all
		case <-ctx.Done():
			return all
		}
	}
	return all
}

// store writes the attempts of the requests, and tells them.
func (b *beginner) store(all []start) {
	stored := &attempts{ID: bson.NewObjectID(), Entries: make([]Entry, 0, len(all))}
	for _, s := range all {
		stored.Entries = append(stored.Entries, s.entry)
	}
	stored.open.Store(int32(len(all))) //nolint:gosec // at most startsAtOnce
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	_, err := b.collection.InsertOne(ctx, stored)
	for _, s := range all {
		s.done <- begun{stored, err}
	}
}
