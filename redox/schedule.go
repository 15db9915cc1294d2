package redox

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/roster"
)

const (
	// bulkLimit bounds the scheduled orders in memory, in bytes. Those of most clinics go to the database in one write.
	bulkLimit = 24 << 20
	// lookupLimit bounds how many subscribers are looked up at once.
	lookupLimit = 1000
)

// scheduling is one call: all its documents bear the same time.
type scheduling struct {
	messages  *messageStore
	scheduled *scheduleStore
	now       time.Time
	waiting   map[bson.ObjectID][]roster.Subscriber // by message, not looked up yet
	count     int                                   // of those waiting
	bulk      []any
	size      int // of the bulk, in bytes
	written   int
}

func (s *Service) newScheduling(now time.Time) *scheduling {
	return &scheduling{messages: s.messages, scheduled: s.scheduled, now: now, waiting: map[bson.ObjectID][]roster.Subscriber{}}
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
	preceding, err := s.scheduled.newest(ctx, ids)
	if err != nil {
		return err
	}
	s.follow(preceding)
	for message, err := range s.messages.withIDs(ctx, ids) {
		if err != nil {
			return err
		}
		if !message.copyable() {
			continue // not written by intake
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

// follow makes what is written from now on newer than what it follows, by which the next call finds its predecessor. The
// clock says so by itself, unless it was set back or two calls fall into one millisecond.
func (s *scheduling) follow(preceding map[bson.ObjectID]scheduledRef) {
	for _, ref := range preceding {
		if !s.now.After(ref.CreatedTime) {
			s.now = ref.CreatedTime.Add(time.Millisecond)
		}
	}
}

func (s *scheduling) put(ctx context.Context, subscriber roster.Subscriber, message storedMessage, before *scheduledRef) error {
	document, err := bson.Marshal(scheduledOrder{
		ID: bson.NewObjectID(), UserID: subscriber.UserID, ClinicID: subscriber.ClinicID, CreatedTime: s.now,
		LastMatchedOrder: messageCopy{ID: message.ID, Meta: message.Meta, Content: message.Content}, PrecedingDocument: before,
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
	written, err := s.scheduled.insert(ctx, s.bulk)
	s.written += written
	s.bulk, s.size = nil, 0
	return err
}
