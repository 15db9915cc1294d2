package xealth

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// events stores every event with the order as it was then. Subscriptions of patients refer to them.
type events struct{ collection *mongo.Collection }

// storedEvent is an event as it is stored. Who asks only how far it was applied reads no more of it.
type storedEvent struct {
	ID           bson.ObjectID  `bson:"_id"`
	Progress     *eventProgress `bson:"derived,omitempty"`
	Notification Notification   `bson:"eventNotification"`
	Order        bson.D         `bson:"orderData"`
}

// eventProgress is what this service adds to the stored event for itself.
type eventProgress struct {
	CompletedTime *time.Time `bson:"completedTime,omitempty"`
	// AddingTime is when the event first began to add a patient to the clinic.
	AddingTime *time.Time `bson:"addingTime,omitempty"`
	// ReplayedTime is when a replay first began to apply the event.
	ReplayedTime *time.Time `bson:"replayedTime,omitempty"`
}

func (e storedEvent) isDone() bool { return e.Progress != nil && e.Progress.CompletedTime != nil }

// wasReplayed reports whether a replay applied the event, or began to.
func (e storedEvent) wasReplayed() bool { return e.Progress != nil && e.Progress.ReplayedTime != nil }

// mayHaveAdded reports whether the event may have added the patient before it was cut short: it began to, and the patient
// is not older than that.
func (e storedEvent) mayHaveAdded(patient *patients.Patient) bool {
	return e.Progress != nil && e.Progress.AddingTime != nil && !patient.CreatedTime.Before(*e.Progress.AddingTime)
}

// furthestFirst orders copies of an event. An older writer may have stored it twice. It marks nothing as done, and which
// copy is resumed does not matter.
var furthestFirst = bson.D{{Key: "derived.completedTime", Value: -1}, {Key: "_id", Value: 1}}

var progressOnly = bson.D{{Key: "derived", Value: 1}}

// isDone reports whether the event was applied to its end before. An event without an id cannot be recognised.
func (e events) isDone(ctx context.Context, n Notification) (bool, error) {
	if n.EventID == "" {
		return false, nil
	}
	var found storedEvent
	err := e.collection.FindOne(ctx, sameEvent(n), options.FindOne().SetSort(furthestFirst).SetProjection(progressOnly)).Decode(&found)
	if store.IsNotFound(err) {
		return false, nil
	}
	return found.isDone(), err
}

// store stores the event with the order and returns how far it was applied. It replaces the order of an event that was
// stored before. If the event adds a patient, the same write says so: it comes before the patient, so that a crash between
// the two loses nothing.
func (e events) store(ctx context.Context, d delivery, order Order, adds bool) (storedEvent, error) {
	id := bson.NewObjectID()
	filter, inserted := sameEvent(d.Notification), bson.D{{Key: "eventNotification", Value: storedNotification(d.Notification)}}
	switch {
	case d.replayOf != nil:
		filter = bson.D{{Key: "_id", Value: *d.replayOf}}
	case d.EventID == "":
		filter = bson.D{{Key: "_id", Value: id}}
	default:
		inserted = append(inserted, bson.E{Key: "_id", Value: id})
	}
	update := bson.D{{Key: "$setOnInsert", Value: inserted}, {Key: "$set", Value: bson.D{{Key: "orderData", Value: order.document}}}}
	var begins bson.D
	if adds {
		begins = append(begins, bson.E{Key: "derived.addingTime", Value: store.Now()})
	}
	if d.replayOf != nil {
		begins = append(begins, bson.E{Key: "derived.replayedTime", Value: store.Now()})
	}
	if len(begins) > 0 {
		update = append(update, bson.E{Key: "$min", Value: begins})
	}
	var stored storedEvent
	err := e.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().
		SetUpsert(d.replayOf == nil).SetSort(furthestFirst).SetProjection(progressOnly).SetReturnDocument(options.After)).Decode(&stored)
	return stored, err
}

func sameEvent(n Notification) bson.D {
	return bson.D{
		{Key: "eventNotification.deployment", Value: n.Deployment}, {Key: "eventNotification.orderId", Value: n.OrderID},
		{Key: "eventNotification.eventId", Value: n.EventID},
	}
}

// storedNotification leaves out identifiers that are no object.
func storedNotification(n Notification) bson.D {
	document := bson.D{
		{Key: "eventId", Value: n.EventID}, {Key: "eventTimeStamp", Value: n.EventTimeStamp},
		{Key: "eventType", Value: n.EventType}, {Key: "eventContext", Value: n.EventContext},
		{Key: "orderId", Value: n.OrderID}, {Key: "deployment", Value: n.Deployment},
		{Key: "partnerId", Value: n.PartnerID}, {Key: "programId", Value: n.ProgramID},
	}
	var identity map[string]any
	if json.Unmarshal(n.PatientIdentity, &identity) == nil && identity != nil {
		document = append(document, bson.E{Key: "patientIdentity", Value: toStored(identity)})
	}
	return document
}

// markDone marks the event as applied to its end.
func (e events) markDone(ctx context.Context, id bson.ObjectID) error {
	_, err := e.collection.UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: "derived.completedTime", Value: store.Now()}}}})
	return err
}

// lastOrder returns the order of the event as it was stored last. An order that is not stored is no error of the caller: it
// was read before or never placed.
func (e events) lastOrder(ctx context.Context, n Notification) (Order, error) {
	var found struct {
		Order bson.D `bson:"orderData"`
	}
	find := options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}}).SetProjection(bson.D{{Key: "orderData", Value: 1}})
	sameOrder := bson.D{{Key: "eventNotification.deployment", Value: n.Deployment}, {Key: "eventNotification.orderId", Value: n.OrderID}}
	if err := e.collection.FindOne(ctx, sameOrder, find).Decode(&found); err != nil {
		return Order{}, fmt.Errorf("a canceled order can be read neither from Xealth nor from what is stored: %w", err)
	}
	return loadOrder(found.Order)
}

// ErrOrderNotFound says that an order to which a subscription refers is not stored.
var ErrOrderNotFound = errs.Because("order_not_found", errs.New(errs.NotFound, "not found"))

// enrollment is what is shown of the event that decided last about a subscription.
type enrollment struct {
	ProgramID      string    `bson:"programId"`
	EventTimeStamp time.Time `bson:"eventTimeStamp"`
}

// enrollment returns an event by its id, or ErrOrderNotFound.
func (e events) enrollment(ctx context.Context, id bson.ObjectID) (enrollment, error) {
	var found struct {
		Notification enrollment `bson:"eventNotification"`
	}
	find := options.FindOne().SetProjection(bson.D{{Key: "eventNotification.programId", Value: 1}, {Key: "eventNotification.eventTimeStamp", Value: 1}})
	err := e.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, find).Decode(&found)
	return found.Notification, store.OneOf(err, ErrOrderNotFound, nil)
}
