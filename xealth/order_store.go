package xealth

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// orders keeps every event with the order as it was then. Subscriptions of patients refer to them.
type orders struct{ collection *mongo.Collection }

// orderRecord says how far an event was applied.
type orderRecord struct {
	ID       bson.ObjectID  `bson:"_id"`
	Progress *orderProgress `bson:"derived,omitempty"`
}

// orderProgress is what this service adds to the stored event for itself.
type orderProgress struct {
	CompletedTime *time.Time `bson:"completedTime,omitempty"`
	// AddingTime is when the event began to add a patient to the clinic.
	AddingTime *time.Time `bson:"addingTime,omitempty"`
}

func (r orderRecord) done() bool { return r.Progress != nil && r.Progress.CompletedTime != nil }

// added reports whether the event may have added the patient before it was cut short: it began to, and the patient is not
// older than that.
func (r orderRecord) added(patient *patients.Patient) bool {
	return r.Progress != nil && r.Progress.AddingTime != nil && !patient.CreatedTime.Before(*r.Progress.AddingTime)
}

// isDone reports whether the event was applied to its end before. An event without an id cannot be recognised.
func (o orders) isDone(ctx context.Context, n Notification) (bool, error) {
	record, err := o.find(ctx, n)
	return record != nil && record.done(), err
}

func (o orders) find(ctx context.Context, n Notification) (*orderRecord, error) {
	if n.EventID == "" {
		return nil, nil
	}
	filter := append(byOrder(n.Deployment, n.OrderID), bson.E{Key: "eventNotification.eventId", Value: n.EventID})
	// An older writer may have stored an event twice. It marks nothing as done, and which is taken up does not matter.
	find := options.FindOne().SetProjection(bson.D{{Key: "derived", Value: 1}}).SetSort(bson.D{{Key: "derived.completedTime", Value: -1}, {Key: "_id", Value: 1}})
	var record orderRecord
	if err := o.collection.FindOne(ctx, filter, find).Decode(&record); err != nil {
		if store.IsNotFound(err) {
			return nil, nil
		}
		return nil, err
	}
	return &record, nil
}

// record stores the event with the order, or the order anew if the event was stored before but not applied to its end.
func (o orders) record(ctx context.Context, n Notification, data bson.D) (orderRecord, error) {
	found, err := o.find(ctx, n)
	if err != nil {
		return orderRecord{}, err
	}
	if found == nil {
		id := bson.NewObjectID()
		_, err := o.collection.InsertOne(ctx, bson.D{
			{Key: "_id", Value: id}, {Key: "eventNotification", Value: storedNotification(n)}, {Key: "orderData", Value: data},
		})
		return orderRecord{ID: id}, err
	}
	if found.done() {
		return *found, nil
	}
	return *found, o.set(ctx, found.ID, "orderData", data)
}

func storedNotification(n Notification) bson.D {
	document := bson.D{
		{Key: "eventId", Value: n.EventID}, {Key: "eventTimeStamp", Value: n.EventTimeStamp},
		{Key: "eventType", Value: n.EventType}, {Key: "eventContext", Value: n.EventContext},
		{Key: "orderId", Value: n.OrderID}, {Key: "deployment", Value: n.Deployment},
		{Key: "partnerId", Value: n.PartnerID}, {Key: "programId", Value: n.ProgramID},
	}
	if identity := storedIdentity(n.PatientIdentity); identity != nil {
		document = append(document, bson.E{Key: "patientIdentity", Value: identity})
	}
	return document
}

// noteAdding keeps when the event first began to add a patient. It is written before the patient, so that a cut between
// the two loses nothing.
func (o orders) noteAdding(ctx context.Context, record orderRecord) error {
	if record.Progress != nil && record.Progress.AddingTime != nil {
		return nil
	}
	return o.set(ctx, record.ID, "derived.addingTime", store.Now())
}

// finish marks the event as applied to its end.
func (o orders) finish(ctx context.Context, id bson.ObjectID) error {
	return o.set(ctx, id, "derived.completedTime", store.Now())
}

func (o orders) set(ctx context.Context, id bson.ObjectID, field string, value any) error {
	_, err := o.collection.UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}})
	return err
}

// newest returns an order as it was stored last, in the form in which it is used and as it is stored. An order that is not
// stored is no error of the caller: it was read before or never placed.
func (o orders) newest(ctx context.Context, deployment, orderID string) (Order, bson.D, error) {
	var document struct {
		Data bson.D `bson:"orderData"`
	}
	find := options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}}).SetProjection(bson.D{{Key: "orderData", Value: 1}})
	if err := o.collection.FindOne(ctx, byOrder(deployment, orderID), find).Decode(&document); err != nil {
		return Order{}, nil, fmt.Errorf("a canceled order can be read neither from Xealth nor from what is stored: %w", err)
	}
	order, err := parseStored(document.Data)
	return order, document.Data, err
}

func byOrder(deployment, orderID string) bson.D {
	return bson.D{{Key: "eventNotification.deployment", Value: deployment}, {Key: "eventNotification.orderId", Value: orderID}}
}

// ErrOrderNotFound tells that an order to which a subscription refers is not stored.
var ErrOrderNotFound = errs.Because("order_not_found", errs.New(errs.NotFound, "not found"))

// orderSummary is what is shown of a stored order.
type orderSummary struct {
	ProgramID      string    `bson:"programId"`
	EventTimeStamp time.Time `bson:"eventTimeStamp"`
}

// get returns an order by its id, or ErrOrderNotFound.
func (o orders) get(ctx context.Context, id bson.ObjectID) (orderSummary, error) {
	var document struct {
		Notification orderSummary `bson:"eventNotification"`
	}
	find := options.FindOne().SetProjection(bson.D{{Key: "eventNotification.programId", Value: 1}, {Key: "eventNotification.eventTimeStamp", Value: 1}})
	err := o.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, find).Decode(&document)
	return document.Notification, store.OneOf(err, ErrOrderNotFound, nil)
}
