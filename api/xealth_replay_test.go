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
)

// listed returns the listed events of the deployment by id, and the rest of the answer.
func (x xealthClinic) listed(t *testing.T, query string) (map[string]object, any) {
	t.Helper()
	return listedOrders(t, x.App, "/v1/xealth/orders?deployment="+x.deployment+query)
}

func (x xealthClinic) replay(t *testing.T, id string) testkit.Response {
	t.Helper()
	return x.Call(t, testkit.Service, http.MethodPost, "/v1/xealth/orders/"+id+"/replay", nil)
}

// newest returns the id of the event that was stored last.
func (x xealthClinic) newest(t *testing.T) string {
	t.Helper()
	orders := x.storedOrders(t)
	require.NotEmpty(t, orders)
	last := bson.ObjectID{}
	for _, order := range orders {
		if id := order["_id"].(bson.ObjectID); id.Hex() > last.Hex() {
			last = id
		}
	}
	return last.Hex()
}

// cutShort has the order of a new patient end before there is an account, and returns the id of the event.
func (x xealthClinic) cutShort(t *testing.T, p person, input object) string {
	t.Helper()
	trackingID := uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, input)).OK(t, http.StatusOK)
	x.Standin.Fail("POST /v1/clinics/", standin.Fault{Status: http.StatusInternalServerError, Times: 1})
	x.notify(t, x.event(x.order(p, trackingID), "new")).OK(t, http.StatusInternalServerError)
	return x.newest(t)
}

func TestXealthOrdersThatStoppedAreListedAndReplayed(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	email := testkit.NewUserID() + "@mail.example"
	id := x.cutShort(t, p, object{"patient": object{"email": email, "connectAbbott": true, "connectDexcom": true}})
	listed, next := x.listed(t, "")
	require.Nil(t, next)
	require.Len(t, listed, 1)
	require.Equal(t, object{
		"id": id, "receivedTime": listed[id]["receivedTime"], "deployment": x.deployment, "xealthOrderId": listed[id]["xealthOrderId"],
		"event": "new", "programId": xealthProgram, "clinicId": x.id, "outcome": "pending", "reason": "cut_short",
		"message": "the event fits, and was cut short",
	}, listed[id], "nothing about the patient")

	accounts := app.Standin.Count("POST /v1/clinics/")
	statuses := make([]int, 6)
	var calls sync.WaitGroup
	for i := range statuses {
		calls.Go(func() { statuses[i] = x.replay(t, id).Status })
	}
	calls.Wait()
	require.Equal(t, []int{200, 200, 200, 200, 200, 200}, statuses)
	require.Equal(t, id, x.replay(t, id).OK(t, http.StatusOK).Object(t)["orderId"])
	require.Equal(t, accounts+1, app.Standin.Count("POST /v1/clinics/"))
	require.Len(t, x.storedOrders(t), 1)
	subscription := x.subscription(t, p)
	require.Equal(t, true, subscription["active"])
	require.Len(t, subscription["matchedMessages"], 1)
	requests := plain(t, x.stored(t, p))["providerConnectionRequests"].(object)
	require.Len(t, requests["abbott"], 1)
	require.Len(t, requests["dexcom"], 1)

	listed, _ = x.listed(t, "")
	require.Empty(t, listed)
	listed, _ = x.listed(t, "&outcome=done")
	require.Contains(t, listed[id], "replayedTime")
	require.NotContains(t, listed[id], "reason")
	requireNotLogged(t, app, email)
	requireNotLogged(t, app, p.mrn)
}

func TestXealthReplayRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	x.replay(t, bson.NewObjectID().Hex()).Fails(t, http.StatusNotFound, "not found")
	x.replay(t, "x").OK(t, http.StatusBadRequest)

	p := newAdult()
	x.enroll(t, p, nil)
	x.replay(t, x.newest(t)).Fails(t, http.StatusConflict, "conflict: the event was applied")

	const not = "conflict: the order would not act now either: "
	later := "a later event decided about the order, or about the reports of the patient"
	q := newAdult()
	id := x.cutShort(t, q, nil)
	listed, _ := x.listed(t, "")
	order := listed[id]["xealthOrderId"].(string)
	app.Standin.Fail("GET /partner/", standin.Fault{Status: http.StatusBadRequest})
	x.replay(t, id).Fails(t, http.StatusConflict, not+"Xealth does not show it any more")
	app.Standin.Heal()
	x.configure(t, object{"procedureCodes": object{}})
	x.replay(t, id).Fails(t, http.StatusConflict, not+"the clinic does not offer the program")
	x.configure(t, object{"enabled": false})
	x.replay(t, id).Fails(t, http.StatusConflict, not+"not found: couldn't find matching clinic")
	listed, _ = x.listed(t, "&reason=clinic_not_matched")
	require.Equal(t, "unmatched", listed[id]["outcome"])
	x.configure(t, nil)
	x.notify(t, x.event(order, "cancel", object{"eventTimeStamp": "2021-01-15T00:23:47.580Z"})).OK(t, http.StatusOK)
	x.replay(t, id).Fails(t, http.StatusConflict, not+later)
	listed, _ = x.listed(t, "&outcome=ignored")
	require.Equal(t, "superseded", listed[id]["reason"])
	require.Empty(t, testkit.Documents(t, x.Store, "patients", bson.M{"mrn": q.mrn}), "what was canceled adds nobody")
}

// TestXealthReplayAfterTheCauseIsMended: what was wrong is in the listing, and a replay goes by what is right now.
func TestXealthReplayAfterTheCauseIsMended(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	id := x.order(p, "", object{"datasets": object{"demographicsV1": object{"name": object{"given": p.given}}}})
	x.notify(t, x.event(id, "new")).OK(t, http.StatusBadRequest)
	incomplete := x.newest(t)
	lost := newAdult()
	x.notify(t, x.event(x.order(lost, "lost"), "new")).OK(t, http.StatusNotFound)
	formless := x.newest(t)
	twin := newAdult()
	for range 2 {
		x.NewPatient(t, x.id, "Twin", object{"mrn": twin.mrn, "birthDate": twin.born})
	}
	x.notify(t, x.event(x.order(twin, ""), "new")).OK(t, http.StatusUnprocessableEntity)
	ambiguous := x.newest(t)

	listed, _ := x.listed(t, "")
	reasons := map[string][]any{}
	for id, order := range listed {
		reasons[id] = []any{order["outcome"], order["reason"]}
	}
	require.Equal(t, map[string][]any{
		incomplete: {"failed", "birth_date_missing"}, formless: {"failed", "preorder_not_found"}, ambiguous: {"unmatched", "patients_matched"},
	}, reasons)
	for id, status := range map[string]int{incomplete: 409, formless: 409, ambiguous: 409} {
		x.replay(t, id).OK(t, status)
	}

	// The health record completes the order; the clinic adds one patient, and takes one of two out.
	app.Standin.AddOrder(x.deployment, id, x.about(p, object{"orderInfo": object{"deployment": x.deployment, "orderId": id}}))
	x.NewPatient(t, x.id, "Ann Known", object{"mrn": p.mrn, "birthDate": p.born})
	x.NewPatient(t, x.id, "Lee Lost", object{"mrn": lost.mrn, "birthDate": lost.born})
	_, err := x.Store.Collection("patients").DeleteOne(t.Context(), bson.M{"mrn": twin.mrn})
	require.NoError(t, err)
	for id, who := range map[string]person{incomplete: p, formless: lost, ambiguous: twin} {
		x.replay(t, id).OK(t, http.StatusOK)
		require.Equal(t, true, x.subscription(t, who)["active"])
	}
	listed, _ = x.listed(t, "")
	require.Empty(t, listed)
}

// TestXealthReplayOfWhatAnOlderWriterStored: it marked nothing as done, and kept every repeat.
func TestXealthReplayOfWhatAnOlderWriterStored(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.enroll(t, p, nil)
	acted := x.storedOrders(t)[0]
	orders := x.Store.Collection("xealth_order")
	_, err := orders.UpdateByID(t.Context(), acted["_id"], bson.M{"$unset": bson.M{"derived": 1}})
	require.NoError(t, err)
	older := bson.M{
		"_id": bson.NewObjectIDFromTimestamp(time.Now().Add(-time.Hour)), "eventNotification": acted["eventNotification"], "orderData": acted["orderData"],
	}
	_, err = orders.InsertOne(t.Context(), older)
	require.NoError(t, err)

	listed, _ := x.listed(t, "")
	require.Empty(t, listed)
	for _, id := range []any{acted["_id"], older["_id"]} {
		x.replay(t, id.(bson.ObjectID).Hex()).OK(t, http.StatusConflict)
	}
	require.Len(t, x.subscription(t, p)["matchedMessages"], 1)

	// One that differs in form is no reason to list nothing.
	_, err = orders.InsertOne(t.Context(), bson.M{"eventNotification": bson.M{"deployment": x.deployment, "programId": xealthProgram, "orderId": 7}, "orderData": "x"})
	require.NoError(t, err)
	listed, _ = x.listed(t, "")
	require.Len(t, listed, 1)
}

func TestXealthOrdersComeInPages(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	for range 5 {
		x.notify(t, x.event(x.order(newAdult(), ""), "new")).OK(t, http.StatusBadRequest)
	}
	requirePagesOfOrders(t, x.listed)
	for _, bad := range []string{"limit=0", "limit=101", "outcome=lost", "before=x", "since=today", "reason="} {
		x.Call(t, testkit.Service, http.MethodGet, "/v1/xealth/orders?"+bad, nil).OK(t, http.StatusBadRequest)
	}
}
