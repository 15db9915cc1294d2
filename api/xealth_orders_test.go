package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/store"
)

func TestXealthIgnoredEvents(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	order := x.order(newAdult(), "")
	for _, members := range []object{
		{"eventContext": "update"}, {"eventType": "patient"}, {"eventType": "", "eventContext": ""}, {"eventContext": "New"},
		{"deployment": "nowhere"}, {"programId": "another"}, {"programId": ""},
	} {
		require.Empty(t, x.notify(t, x.event(order, "new", members)).OK(t, http.StatusOK).Body)
	}
	x.configure(t, object{"procedureCodes": object{}})
	x.notify(t, x.event(order, "new", object{"programId": ""})).OK(t, http.StatusOK)
	require.Zero(t, app.Standin.Count("GET /partner/"), "the order is not read")
	require.Empty(t, x.storedOrders(t))
}

func TestXealthStoredPatient(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	p.email = "of-the-record@mail.example"
	email := testkit.NewUserID() + "@Mail.example"
	x.enroll(t, p, object{"patient": object{"email": email, "connectDexcom": true}, "tags": object{"ids": []string{bson.NewObjectID().Hex(), "x"}}})

	patient := x.stored(t, p)
	require.Equal(t, email, patient["email"], "as it was entered, and not that of the record")
	require.Equal(t, p.born, patient["birthDate"])
	require.Equal(t, bson.D{
		{Key: "custodian", Value: bson.D{}}, {Key: "view", Value: bson.D{}}, {Key: "upload", Value: bson.D{}}, {Key: "note", Value: bson.D{}},
	}, patient["permissions"])
	for _, absent := range []string{"tags", "invitedBy", "sites"} {
		require.NotContains(t, patient, absent)
	}
	sources := plain(t, patient)["dataSources"].([]any)
	require.Len(t, sources, 1)
	source := sources[0].(object)
	require.Equal(t, []any{"dexcom", "pending"}, []any{source["providerName"], source["state"]})
	requests := plain(t, patient)["providerConnectionRequests"].(object)
	require.Len(t, requests["dexcom"], 1)
	require.NotContains(t, requests, "abbott")

	subscription := x.subscription(t, p)
	order := x.storedOrders(t)[0]
	require.Equal(t, bson.A{bson.D{
		{Key: "id", Value: order["_id"]}, {Key: "dataModel", Value: "order"}, {Key: "eventType", Value: "new"},
	}}, subscription["matchedMessages"])
	require.Equal(t, []any{true, "xealth"}, []any{subscription["active"], subscription["provider"]})
	require.Equal(t, subscription["createdAt"], subscription["updatedAt"])
}

func TestXealthStoredOrder(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p, trackingID := newAdult(), uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
	order := x.order(p, trackingID, object{"batchFileInfo": nil, "unknown": 1})
	event := x.event(order, "new")
	x.notify(t, event).OK(t, http.StatusOK)

	stored := x.storedOrders(t)[0]
	require.Equal(t, bson.D{
		{Key: "eventId", Value: event["eventId"]}, {Key: "eventTimeStamp", Value: bson.NewDateTimeFromTime(time.Date(2021, 1, 14, 0, 23, 47, 580e6, time.UTC))},
		{Key: "eventType", Value: "order"}, {Key: "eventContext", Value: "new"}, {Key: "orderId", Value: order},
		{Key: "deployment", Value: x.deployment}, {Key: "partnerId", Value: "tidepool"}, {Key: "programId", Value: xealthProgram},
		{Key: "patientIdentity", Value: bson.D{
			{Key: "historicalIds", Value: bson.A{}},
			{Key: "ids", Value: bson.A{bson.D{{Key: "id", Value: "10052608740"}, {Key: "origin", Value: "epic"}, {Key: "type", Value: "mrn"}}}},
		}},
	}, stored["eventNotification"])
	require.Equal(t, bson.D{
		{Key: "datasets", Value: bson.D{{Key: "demographicsV1", Value: bson.D{
			{Key: "birthDate", Value: bson.D{{Key: "time", Value: bson.NewDateTimeFromTime(time.Date(1985, 1, 11, 0, 0, 0, 0, time.UTC))}}},
			{Key: "name", Value: bson.D{{Key: "family", Value: bson.A{"LastName", "Last"}}, {Key: "given", Value: bson.A{"FirstName", "First"}}}},
		}}}},
		{Key: "orderInfo", Value: bson.D{
			{Key: "deployment", Value: x.deployment},
			{Key: "orderCreationDateTime", Value: bson.NewDateTimeFromTime(time.Date(2021, 1, 14, 0, 20, 0, 0, time.UTC))},
			{Key: "orderId", Value: order}, {Key: "orderState", Value: ""},
			{Key: "orderUpdateDateTime", Value: bson.NewDateTimeFromTime(time.Date(2021, 1, 14, 0, 23, 30, 250e6, time.UTC))},
			{Key: "partnerId", Value: "tidepool"}, {Key: "programId", Value: xealthProgram},
		}},
		{Key: "patientIdentity", Value: bson.D{{Key: "ids", Value: bson.A{
			bson.D{{Key: "id", Value: p.mrn}, {Key: "type", Value: xealthMRNType}}, bson.D{{Key: "id", Value: "10052608740"}, {Key: "type", Value: "mrn"}},
		}}}},
		{Key: "preorder", Value: bson.D{{Key: "dataTrackingId", Value: trackingID}}},
	}, stored["orderData"])
}

func TestXealthRepeatedEventActsOnce(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p, trackingID := newAdult(), uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
	event := x.event(x.order(p, trackingID), "new")
	for range 3 {
		x.notify(t, event).OK(t, http.StatusOK)
	}
	require.Len(t, x.storedOrders(t), 1)
	require.Len(t, x.subscription(t, p)["matchedMessages"], 1)
	require.Equal(t, 1, app.Standin.Count("GET /partner/"))

	// Without an id an event cannot be recognised.
	for range 2 {
		x.notify(t, with(event, "eventId", "")).OK(t, http.StatusOK)
	}
	require.Len(t, x.storedOrders(t), 3)
}

// TestXealthSimultaneousEventsMakeOneAccount also holds for different events of the same patient.
func TestXealthSimultaneousEventsMakeOneAccount(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p, trackingID := newAdult(), uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
	order := x.order(p, trackingID)
	same := x.event(order, "new")
	events := []object{same, same, same, x.event(order, "new"), x.event(x.order(p, trackingID), "new")}
	app.Standin.Fail("POST /v1/clinics/", standin.Fault{Delay: 200 * time.Millisecond, Times: 1})
	statuses := make([]int, len(events))
	var wait sync.WaitGroup
	for i, event := range events {
		wait.Go(func() { statuses[i] = x.notify(t, event).Status })
	}
	wait.Wait()
	require.Equal(t, []int{200, 200, 200, 200, 200}, statuses)
	require.Equal(t, 1, app.Standin.Count("POST /v1/clinics/"))
	require.Len(t, x.subscription(t, p)["matchedMessages"], 3)
	require.Empty(t, testkit.Documents(t, x.Store, store.LeaseCollectionName, bson.M{}), "nothing is left behind")
}

func TestXealthEventIsTakenUpWhereItEnded(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p, trackingID := newAdult(), uuid.NewString()
	event := x.event(x.order(p, trackingID), "new")
	x.notify(t, event).Fails(t, http.StatusNotFound, "not found: preorder data not found")
	require.Len(t, x.storedOrders(t), 1, "the event stays")
	require.Empty(t, testkit.Documents(t, x.Store, "patients", bson.M{"mrn": p.mrn}))

	x.preorder(t, x.subsequent(p, trackingID, object{"patient": object{"email": testkit.NewUserID() + "@mail.example", "connectAbbott": true}})).OK(t, http.StatusOK)
	app.Standin.Fail("POST /v1/clinics/", standin.Fault{Status: http.StatusInternalServerError, Times: 1})
	x.notify(t, event).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	x.notify(t, event).OK(t, http.StatusOK)
	require.Len(t, x.storedOrders(t), 1)
	require.Len(t, x.subscription(t, p)["matchedMessages"], 1)
}

// TestXealthEventThatIsStoredTwice holds for what an older writer stored, which kept every repeat and marked nothing as done.
func TestXealthEventThatIsStoredTwice(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.enroll(t, p, nil)
	orders := x.Store.Collection("xealth_order")
	done := x.storedOrders(t)[0]
	older := bson.M{"_id": bson.NewObjectIDFromTimestamp(time.Unix(0, 0)), "eventNotification": done["eventNotification"], "orderData": done["orderData"]}
	_, err := orders.InsertOne(t.Context(), older)
	require.NoError(t, err)
	notification := plain(t, done)["eventNotification"].(object)
	event := x.event(notification["orderId"].(string), "new", object{"eventId": notification["eventId"]})
	x.notify(t, event).OK(t, http.StatusOK)
	require.Len(t, x.subscription(t, p)["matchedMessages"], 1, "one copy is done")

	_, err = orders.UpdateByID(t.Context(), done["_id"], bson.M{"$unset": bson.M{"derived": 1}})
	require.NoError(t, err)
	for range 2 {
		x.notify(t, event).OK(t, http.StatusOK)
	}
	require.Len(t, x.storedOrders(t), 2, "it resumes one of them")
	require.Len(t, x.subscription(t, p)["matchedMessages"], 2)
}

func TestXealthConnectionRequestsAreCaughtUp(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.enroll(t, p, object{"patient": object{"email": testkit.NewUserID() + "@mail.example", "connectAbbott": true, "connectDexcom": true}})
	order := x.storedOrders(t)[0]
	// As if the process had died after the first request.
	_, err := x.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"mrn": p.mrn}, bson.M{"$unset": bson.M{"providerConnectionRequests.dexcom": 1, "ehrSubscriptions": 1}})
	require.NoError(t, err)
	_, err = x.Store.Collection("xealth_order").UpdateByID(t.Context(), order["_id"], bson.M{"$unset": bson.M{"derived.completedTime": 1}})
	require.NoError(t, err)

	notification := plain(t, order)["eventNotification"].(object)
	x.notify(t, x.event(notification["orderId"].(string), "new", object{"eventId": notification["eventId"]})).OK(t, http.StatusOK)
	requests := plain(t, x.stored(t, p))["providerConnectionRequests"].(object)
	require.Len(t, requests["abbott"], 1)
	require.Len(t, requests["dexcom"], 1)
	require.Equal(t, true, x.subscription(t, p)["active"])
}

func TestXealthCancel(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	x.notify(t, x.event(x.order(p, "lost"), "cancel")).OK(t, http.StatusOK)
	require.Empty(t, testkit.Documents(t, x.Store, "patients", bson.M{"mrn": p.mrn}), "nobody is added by a cancelation")

	trackingID := uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
	order := x.order(p, trackingID)
	x.notify(t, x.event(order, "new")).OK(t, http.StatusOK)
	created := x.subscription(t, p)["createdAt"]
	_, err := x.Store.Collection("xealth_preorder").DeleteMany(t.Context(), bson.M{})
	require.NoError(t, err)

	app.Standin.Fail("GET /partner/", standin.Fault{Status: http.StatusBadRequest})
	x.notify(t, x.event(order, "new")).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	x.notify(t, x.event("never seen", "cancel")).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	x.notify(t, x.event(order, "cancel")).OK(t, http.StatusOK)
	require.Equal(t, false, x.subscription(t, p)["active"], "by what was stored")
	app.Standin.Heal()
	x.notify(t, x.event(order, "new")).OK(t, http.StatusOK)
	subscription := x.subscription(t, p)
	require.Equal(t, []any{true, created}, []any{subscription["active"], subscription["createdAt"]})
	require.Len(t, subscription["matchedMessages"], 3)
}
