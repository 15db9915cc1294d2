package events_test

import (
	"maps"
	"net/http"
	"net/url"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

var (
	redox  = http.Header{"Verification-Token": {testkit.RedoxToken}}
	xealth = http.Header{"Authorization": {"Bearer " + testkit.XealthToken}}
)

// connected is a full clinic that is connected to Redox.
func connected(s *stage) {
	full(s)
	s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/ehr", object{
		"enabled": true, "provider": "redox", "sourceId": s.ids["source"], "mrnIdType": "MR",
		"destinationIds": object{"flowsheet": "f", "notes": "n", "results": "r"},
		"tags":           object{"codes": []string{}, "separator": ","}, "flowsheets": object{"icode": false},
		"scheduledReports": object{"cadence": "14d", "onUploadEnabled": true},
		"procedureCodes":   object{"enableSummaryReports": "ON", "disableSummaryReports": "OFF"},
	}).OK(s, http.StatusOK)
}

func receive(s *stage) testkit.Response {
	return s.partner(redox, "POST /v1/redox", object{
		"Meta": object{
			"DataModel": "Order", "EventType": "New", "EventDateTime": "2024-05-06T07:08:09.123Z",
			"Source": object{"ID": s.ids["source"], "Name": "North"}, "Logs": []any{object{"ID": "log"}},
		},
		"Patient": object{
			"Identifiers":  []any{object{"ID": "0001", "IDType": "MR"}},
			"Demographics": object{"FirstName": "Patient", "LastName": "anna", "DOB": "1990-05-06"},
		},
		"Order": object{"ID": "1", "Procedure": object{"Code": "ON"}},
	})
}

func received(s *stage) {
	connected(s)
	receive(s).OK(s, http.StatusOK)
	s.ids["order"] = s.stored("redox", "meta.Source.ID", s.ids["source"])
}

const match = `{"messageRef": {"dataModel": "Order", "eventType": "New", "documentId": "{order}"},
	"patients": {"criteria": ["MRN_DOB"], "onUniqueMatch": "ENABLE_REPORTS"}}`

func subscribed(s *stage) {
	received(s)
	s.send(testkit.Service, "POST /v1/redox/match", s.fillBody(match)).OK(s, http.StatusOK)
}

func redoxRows() []row {
	return []row{
		{situation{"ProcessEHRMessage", ""}, connected, receive},
		{situation{"VerifyEndpoint", ""}, empty, func(s *stage) testkit.Response {
			return s.partner(http.Header{}, "POST /v1/redox/verify", object{"verification-token": testkit.RedoxToken, "challenge": "c"})
		}},
		calls("MatchClinicAndPatient", "reports are turned on", received, "service", "POST /v1/redox/match", match),
		calls("MatchClinicAndPatient", "again", subscribed, "service", "POST /v1/redox/match", match),
		calls("ReplayRedoxOrder", "an order that waits", received, "service", "POST /v1/redox/orders/{order}/replay", nil),
		calls("SyncEHRData", "one patient has reports", subscribed, "service", "POST /v1/clinics/{north}/ehr/sync", nil),
		calls("SyncEHRDataForPatient", "", subscribed, "service", "POST /v1/patients/{anna}/ehr/sync", nil),
	}
}

// toXealth is a full clinic that is connected to Xealth.
func toXealth(s *stage) {
	full(s)
	s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/ehr", object{
		"enabled": true, "provider": "xealth", "sourceId": s.ids["source"], "mrnIdType": "EMPI",
		"procedureCodes":   object{"createAccountAndEnableReports": "program"},
		"scheduledReports": object{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": object{}, "flowsheets": object{"icode": false},
	}).OK(s, http.StatusOK)
}

// about returns a message about a person whom the clinic does not know yet.
func about(s *stage, more object) object {
	message := object{
		"deployment": s.ids["source"], "programId": "program",
		"patientIdentity": object{"ids": []any{object{"id": "e-" + s.ids["guest"], "type": "EMPI"}}},
		"datasets": object{
			"demographicsV1": object{"name": object{"given": []string{"Xena"}, "family": []string{"Patient"}}, "birthDate": "1985-01-11"},
			"ehrUserV1":      object{"userId": "ehr-user", "systemLogin": "login"},
		},
	}
	maps.Copy(message, more)
	return message
}

func enroll(s *stage) testkit.Response {
	return s.partner(xealth, "POST /v1/xealth/preorder", about(s, object{
		"eventType": "preorder", "eventContext": "subsequent",
		"formData": object{"dataTrackingId": "tracking-" + s.ids["source"], "userInput": object{
			"patient": object{"email": s.ids["guest"] + "-xena@example.com", "connectAbbott": true, "connectDexcom": true},
		}},
	}))
}

func ordered(s *stage) {
	toXealth(s)
	enroll(s).OK(s, http.StatusOK)
	s.app.Standin.AddOrder(s.ids["source"], "order", about(s, object{
		"orderInfo": object{
			"deployment": s.ids["source"], "orderId": "order", "partnerId": "tidepool", "programId": "program",
			"orderCreationDateTime": "2021-01-14T00:20:00Z", "orderUpdateDateTime": "2021-01-14T00:23:30.250Z",
		},
		"preorder": object{"dataTrackingId": "tracking-" + s.ids["source"]},
	}))
}

func notify(context string) func(*stage) testkit.Response {
	return func(s *stage) testkit.Response {
		return s.partner(xealth, "POST /v1/xealth/notification", object{
			"eventId": "event-" + context, "eventTimeStamp": "2021-01-14T00:23:47.580Z", "eventType": "order", "eventContext": context,
			"orderId": "order", "deployment": s.ids["source"], "partnerId": "tidepool", "programId": "program",
		})
	}
}

func enrolled(s *stage) {
	ordered(s)
	notify("new")(s).OK(s, http.StatusOK)
}

// stopped is a clinic with an order that ended before its patient had an account.
func stopped(s *stage) {
	ordered(s)
	s.app.Standin.Fail("POST /v1/clinics/", standin.Fault{Status: http.StatusInternalServerError, Times: 1})
	notify("new")(s).OK(s, http.StatusInternalServerError)
	events := testkit.Documents(s, s.app.Store, "xealth_order", bson.M{"eventNotification.deployment": s.ids["source"]})
	require.Len(s, events, 1)
	s.ids["event"] = events[0]["_id"].(bson.ObjectID).Hex()
}

// reported is such a clinic with the address of the report of its new patient.
func reported(s *stage) {
	enrolled(s)
	address, err := url.Parse(program(s).OK(s, http.StatusOK).Object(s)["url"].(string))
	require.NoError(s, err)
	s.ids["report"] = address.RequestURI()
}

func program(s *stage) testkit.Response {
	return s.partner(xealth, "PUT /v1/xealth/program", about(s, nil))
}

func xealthRows() []row {
	view := func(s *stage) testkit.Response {
		return s.app.Call(s, testkit.Nobody, http.MethodGet, s.ids["report"], nil)
	}
	return []row{
		{situation{"XealthPreorder", "the form is sent in"}, toXealth, enroll},
		{situation{"XealthNotification", "a new order for a new patient, who shall connect two providers"}, ordered, notify("new")},
		{situation{"XealthNotification", "the order is canceled"}, enrolled, notify("cancel")},
		{situation{"ReplayXealthOrder", "the order of such a patient, cut short before there is an account"}, stopped, func(s *stage) testkit.Response {
			return s.send(testkit.Service, "POST /v1/xealth/orders/{event}/replay", nil)
		}},
		{situation{"XealthGetPrograms", ""}, enrolled, func(s *stage) testkit.Response {
			return s.partner(xealth, "PUT /v1/xealth/programs", about(s, nil))
		}},
		{situation{"XealthGetProgramUrl", ""}, enrolled, program},
		{situation{"ViewPDFReport", ""}, reported, view},
	}
}
