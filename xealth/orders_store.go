package xealth

import (
	"bytes"
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// get returns an event by its id, or ErrOrderNotFound.
func (e events) get(ctx context.Context, id bson.ObjectID) (storedEvent, error) {
	var event storedEvent
	err := e.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&event)
	return event, store.OneOf(err, ErrOrderNotFound, nil)
}

// all goes through the events that the filter admits, whatever became of them, newest first, holding a few of them. It ends
// with the first error.
func (e events) all(ctx context.Context, filter OrderFilter) iter.Seq2[storedEvent, error] {
	period := bson.D{{Key: "$gte", Value: bson.NewObjectIDFromTimestamp(filter.Since)}}
	if filter.Before != nil {
		period = append(period, bson.E{Key: "$lt", Value: *filter.Before})
	}
	query := bson.D{{Key: "_id", Value: period}}
	if filter.Deployment != "" {
		query = append(query, bson.E{Key: "eventNotification.deployment", Value: filter.Deployment})
	}
	if filter.Unfinished {
		query = append(query, bson.E{Key: "derived.completedTime", Value: nil})
	}
	cursor, err := e.collection.Find(ctx, query, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}))
	return store.Documents[storedEvent](ctx, cursor, err)
}

// mostSiblings bounds how many events of one order are looked at. An order is placed once, and canceled once.
const mostSiblings = 100

// siblings reports whether another copy of the event was applied to its end, and whether a later event of its order is stored.
func (e events) siblings(ctx context.Context, event storedEvent) (done, later bool, err error) {
	n := event.Notification
	cursor, err := e.collection.Find(ctx,
		bson.D{
			{Key: "eventNotification.deployment", Value: n.Deployment}, {Key: "eventNotification.orderId", Value: n.OrderID},
			{Key: "_id", Value: bson.D{{Key: "$ne", Value: event.ID}}},
		},
		options.Find().SetLimit(mostSiblings).SetProjection(bson.D{{Key: "eventNotification", Value: 1}, {Key: "derived", Value: 1}}))
	for sibling, err := range store.Documents[storedEvent](ctx, cursor, err) {
		if err != nil {
			return false, false, err
		}
		same := n.EventID != "" && sibling.Notification.EventID == n.EventID
		done = done || same && sibling.isDone()
		later = later || sibling.happenedAfter(event)
	}
	return done, later, nil
}

// happenedAfter compares by the time that Xealth gave, and events of the same time by when they were stored.
func (e storedEvent) happenedAfter(other storedEvent) bool {
	if at, before := e.Notification.EventTimeStamp, other.Notification.EventTimeStamp; !at.Equal(before) {
		return at.After(before)
	}
	return newer(e.ID, other.ID)
}

func newer(a, b bson.ObjectID) bool { return bytes.Compare(a[:], b[:]) > 0 }
