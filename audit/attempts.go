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

// gatherTime is how long a request waits for others to be stored with, while others are at work.
const gatherTime = 5 * time.Millisecond

// attempts are the entries of requests that began together. One write stores them, without any index but that of ids, before the
// requests go on: the entry of each, with all its indexes, is then written once, when its outcome is known.
type attempts struct {
	ID      bson.ObjectID `bson:"_id"`
	Entries []Entry       `bson:"entries"`
}

// pending are stored attempts that the trail does not have all entries of.
type pending struct {
	id   bson.ObjectID
	open atomic.Int32 // entries that it does not have
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
	pending *pending
	err     error
}

// begin stores the attempt of a request, together with those of others, and waits for it.
func (b *beginner) begin(ctx context.Context, entry Entry) (*pending, error) {
	done := make(chan begun, 1)
	select {
	case b.queue <- start{entry, done}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case result := <-done:
		return result.pending, result.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run stores attempts until the context ends, and then those who wait.
func (b *beginner) run(ctx context.Context) {
	othersAtWork := func(came int) bool { return int(b.open.Load()) > came }
	together(ctx, b.queue, gatherTime, othersAtWork, b.store)
}

// store writes the attempts of the requests, and tells them.
func (b *beginner) store(all []start) {
	stored := attempts{ID: bson.NewObjectID()}
	for _, s := range all {
		stored.Entries = append(stored.Entries, s.entry)
	}
	left := &pending{id: stored.ID}
	left.open.Store(int32(len(all))) //nolint:gosec // at most atOnce
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	_, err := b.collection.InsertOne(ctx, stored)
	for _, s := range all {
		s.done <- begun{left, err}
	}
}
