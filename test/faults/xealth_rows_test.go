package faults_test

import (
	"maps"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// toXealth is a full clinic that is connected to Xealth.
func toXealth(s *scene) {
	full(s)
	s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/ehr", map[string]any{
		"enabled": true, "provider": "xealth", "sourceId": "north-epic", "mrnIdType": "EMPI",
		"procedureCodes":   map[string]any{"createAccountAndEnableReports": "program"},
		"scheduledReports": map[string]any{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}).OK(s, http.StatusOK)
}

// ordered is such a clinic with an order for somebody who is no patient yet, and whose form was sent in.
func ordered(s *scene) {
	toXealth(s)
	s.enroll("xena@example.com").OK(s, http.StatusOK)
	s.placeOrder()
}

// stopped is such a clinic whose order ended before there was an account.
func stopped(s *scene) {
	ordered(s)
	s.app.Standin.Fail("POST /v1/clinics/", standin.Fault{Status: http.StatusInternalServerError, Times: 1})
	s.notify("new").OK(s, http.StatusInternalServerError)
	events := testkit.Documents(s, s.app.Store, "xealth_order", bson.D{})
	require.Len(s, events, 1)
	s.ids["event"] = events[0]["_id"].(bson.ObjectID).Hex()
}

// fromXealth sends a message as Xealth does.
func (s *scene) fromXealth(line string, body any) testkit.Response {
	s.Helper()
	return s.sendAs(http.Header{"Authorization": {"Bearer " + testkit.XealthToken}}, line, body)
}

// aboutXena returns a message about the person of the order.
func aboutXena(more map[string]any) map[string]any {
	message := map[string]any{
		"deployment": "north-epic", "programId": "program",
		"patientIdentity": map[string]any{"ids": []any{map[string]any{"id": "e-0009", "type": "EMPI"}}},
		"datasets": map[string]any{"demographicsV1": map[string]any{
			"name": map[string]any{"given": []string{"Xena"}, "family": []string{"Patient"}}, "birthDate": "1985-01-11",
		}},
	}
	maps.Copy(message, more)
	return message
}

// enroll sends in the form of a preorder.
func (s *scene) enroll(email string) testkit.Response {
	s.Helper()
	return s.fromXealth("POST /v1/xealth/preorder", aboutXena(map[string]any{
		"eventType": "preorder", "eventContext": "subsequent",
		"formData": map[string]any{"dataTrackingId": "tracking", "userInput": map[string]any{
			"patient": map[string]any{"email": email, "connectAbbott": true, "connectDexcom": true},
		}},
	}))
}

// placeOrder lets Xealth know the order.
func (s *scene) placeOrder() {
	s.app.Standin.AddOrder("north-epic", "order", aboutXena(map[string]any{
		"orderInfo": map[string]any{
			"deployment": "north-epic", "orderId": "order", "partnerId": "tidepool", "programId": "program",
			"orderCreationDateTime": "2021-01-14T00:20:00Z", "orderUpdateDateTime": "2021-01-14T00:23:30.250Z",
		},
		"preorder": map[string]any{"dataTrackingId": "tracking"},
	}))
}

// notify tells that something happened to the order.
func (s *scene) notify(context string) testkit.Response {
	s.Helper()
	return s.fromXealth("POST /v1/xealth/notification", map[string]any{
		"eventId": "event-" + context, "eventTimeStamp": "2021-01-14T00:23:47.580Z", "eventType": "order", "eventContext": context,
		"orderId": "order", "deployment": "north-epic", "partnerId": "tidepool", "programId": "program",
	})
}

// followsOrder reports whether a write keeps how far an order got, or the subscription, which a repeat sets again.
func followsOrder(c wire.Command) bool {
	return c.Collection == "xealth_order" || c.Collection == "patients" && strings.Contains(c.Body.String(), "ehrSubscriptions")
}

func xealthOperations() []operation {
	return []operation{
		{
			name: "XealthNotification (new patient)", stage: ordered, transactions: 4, apart: followsOrder,
			instead: "accounts cannot be taken back: the order says what is to be done until it is; a repeat goes on",
			call:    func(s *scene) testkit.Response { return s.notify("new") },
			undone:  &exception{why: "the event is kept, so that a repeat knows what is to be done", collections: []string{"xealth_order"}},
		},
		{
			name:    "XealthNotification (canceled)",
			instead: "the order says what is to be done until it is; a repeat goes on",
			stage: func(s *scene) {
				ordered(s)
				s.notify("new").OK(s, http.StatusOK)
			},
			call: func(s *scene) testkit.Response { return s.notify("cancel") },
		},
		{
			name: "ReplayXealthOrder", stage: stopped, transactions: 4, apart: followsOrder,
			instead: "as for the new patient of an order; the event says what is to be done until it is",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/xealth/orders/"+s.ids["event"]+"/replay", nil)
			},
			undone: &exception{why: "that a replay began is kept", collections: []string{"xealth_order"}},
		},
		{
			name: "XealthPreorder (form sent in)", stage: toXealth,
			instead: "one document is written",
			call:    func(s *scene) testkit.Response { return s.enroll("xena@example.com") },
		},
	}
}
