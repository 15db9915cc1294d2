package redox

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/roster"
)

// scheduledOrder asks the worker to send the reports of a patient again. COMPAT: it is never updated, as a message.
type scheduledOrder struct {
	ID                bson.ObjectID `bson:"_id"`
	UserID            string        `bson:"userId"`
	ClinicID          bson.ObjectID `bson:"clinicId"`
	CreatedTime       time.Time     `bson:"createdTime"`
	LastMatchedOrder  storedMessage `bson:"lastMatchedOrder"`
	PrecedingDocument *scheduledRef `bson:"precedingDocument,omitempty"`
}

const (
	// bulkLimit bounds the scheduled orders in memory, in bytes. Those of most clinics go to the database in one write.
	bulkLimit = 24 << 20
	// lookupLimit bounds how many subscribers are looked up at once.
	lookupLimit = 1000
)

// scheduling is one call: all its documents bear the same time.
type scheduling struct {
	repository *Repository
	now        time.Time
	waiting    map[bson.ObjectID][]roster.Subscriber // by message, not looked up yet
	count      int                                   // of those waiting
	bulk       []any
	size       int // of the bulk, in bytes
	written    int
}

func (r *Repository) newScheduling(now time.Time) *scheduling {
	return &scheduling{repository: r, now: now, waiting: map[bson.ObjectID][]roster.Subscriber{}}
}

// add takes a subscriber in. What was taken in is written by finish at the latest.
func (s *scheduling) add(ctx context.Context, subscriber roster.Subscriber) error {
	s.waiting[subscriber.Message] = append(s.waiting[subscriber.Message], subscriber)
	if s.count++; s.count < lookupLimit {
		return nil
	}
	return s.lookup(ctx)
}

// finish writes the rest and returns how many documents were written in all.
func (s *scheduling) finish(ctx context.Context) (int, error) {
	if err := s.lookup(ctx); err != nil {
		return s.written, err
	}
	return s.written, s.flush(ctx)
}

// lookup puts the orders of those who wait into the bulk. Who waits for a message that is gone gets none.
func (s *scheduling) lookup(ctx context.Context) error {
	if s.count == 0 {
		return nil
	}
	ids := make([]bson.ObjectID, 0, len(s.waiting))
	for id := range s.waiting {
		ids = append(ids, id)
	}
	preceding, err := s.repository.newestScheduled(ctx, ids)
	if err != nil {
		return err
	}
	for message, err := range s.repository.each(ctx, ids) {
		if err != nil {
			return err
		}
		if message.Meta == nil || message.Content == nil {
			continue // not written by intake; the worker could not read a copy of it
		}
		var before *scheduledRef
		if ref, ok := preceding[message.ID]; ok {
			before = &ref
		}
		for _, subscriber := range s.waiting[message.ID] {
			if err := s.put(ctx, subscriber, message, before); err != nil {
				return err
			}
		}
	}
	clear(s.waiting)
	s.count = 0
	return nil
}

func (s *scheduling) put(ctx context.Context, subscriber roster.Subscriber, message storedMessage, before *scheduledRef) error {
	document, err := bson.Marshal(scheduledOrder{
		ID: bson.NewObjectID(), UserID: subscriber.UserID, ClinicID: subscriber.ClinicID, CreatedTime: s.now,
		LastMatchedOrder: message, PrecedingDocument: before,
	})
	if err != nil {
		return err
	}
	if s.size+len(document) > bulkLimit {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	s.bulk = append(s.bulk, bson.Raw(document))
	s.size += len(document)
	return nil
}

func (s *scheduling) flush(ctx context.Context) error {
	if len(s.bulk) == 0 {
		return nil
	}
	result, err := s.repository.scheduled.InsertMany(ctx, s.bulk, options.InsertMany().SetOrdered(false))
	s.written += inserted(result)
	s.bulk, s.size = nil, 0
	return err
}

func inserted(result *mongo.InsertManyResult) int {
	if result == nil {
		return 0
	}
	return len(result.InsertedIDs)
}
