package faults_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// connected is a full clinic that is connected to Redox, with an order that was received for one of its patients.
func connected(s *scene) {
	full(s)
	s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/ehr", map[string]any{
		"enabled": true, "provider": "redox", "sourceId": "north-epic", "mrnIdType": "MR",
		"destinationIds": map[string]any{"flowsheet": "f", "notes": "n", "results": "r"},
		"tags":           map[string]any{"codes": []string{}, "separator": ","}, "flowsheets": map[string]any{"icode": false},
		"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": true},
		"procedureCodes":   map[string]any{"enableSummaryReports": "ON", "disableSummaryReports": "OFF"},
	}).OK(s, 200)
	s.receive().OK(s, 200)
	orders := testkit.Documents(s, s.app.Store, "redox", bson.D{})
	require.Len(s, orders, 1)
	s.ids["order"] = orders[0]["_id"].(bson.ObjectID).Hex()
}

// receive sends an order as Redox does.
func (s *scene) receive() testkit.Response {
	s.Helper()
	return s.sendAs(http.Header{"Verification-Token": {testkit.RedoxToken}}, "POST /v1/redox", map[string]any{
		"Meta": map[string]any{
			"DataModel": "Order", "EventType": "New", "EventDateTime": "2024-05-06T07:08:09.123Z",
			"Source": map[string]any{"ID": "north-epic", "Name": "North"}, "Logs": []any{map[string]any{"ID": "log"}},
		},
		"Patient": map[string]any{
			"Identifiers":  []any{map[string]any{"ID": "0001", "IDType": "MR"}},
			"Demographics": map[string]any{"FirstName": "Patient", "LastName": "anna", "DOB": "1990-05-06"},
		},
		"Order": map[string]any{"ID": "1", "Procedure": map[string]any{"Code": "ON"}},
	})
}

// sendAs makes a call of a partner, who proves itself with a header.
func (s *scene) sendAs(header http.Header, line string, body any) testkit.Response {
	s.Helper()
	method, path, _ := strings.Cut(line, " ")
	content, err := json.Marshal(body)
	require.NoError(s, err)
	request, err := http.NewRequestWithContext(s.Context(), method, s.app.URL+path, strings.NewReader(string(content)))
	require.NoError(s, err)
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	return s.app.Do(s, testkit.Nobody, request)
}

// match asks for the patients of the order and enables reports.
func (s *scene) match() testkit.Response {
	s.Helper()
	return s.send(testkit.Service, "POST /v1/redox/match", map[string]any{
		"messageRef": map[string]any{"dataModel": "Order", "eventType": "New", "documentId": s.ids["order"]},
		"patients":   map[string]any{"criteria": []string{"MRN_DOB"}, "onUniqueMatch": "ENABLE_REPORTS"},
	})
}

// subscribed is a connected clinic all of whose patients have a subscription to reports.
func subscribed(s *scene) {
	connected(s)
	s.match().OK(s, 200)
	anna := testkit.Documents(s, s.app.Store, "patients", bson.D{{Key: "userId", Value: s.ids["anna"]}})
	require.Len(s, anna, 1)
	_, err := s.app.Store.Collection("patients").UpdateMany(s.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{
		{Key: "ehrSubscriptions", Value: anna[0]["ehrSubscriptions"]},
	}}})
	require.NoError(s, err)
}

func redoxOperations() []operation {
	more := &exception{
		why:         "each call schedules everybody once more; the worker sends reports only if there is new data",
		collections: []string{"scheduledSummaryAndReportsOrders"},
	}
	return []operation{
		{
			name: "ProcessEHRMessage", stage: full,
			instead: "one document is written",
			call:    func(s *scene) testkit.Response { return s.receive() },
			twice:   &exception{why: "a message that is delivered twice is stored twice"},
		},
		{
			name: "MatchClinicAndPatient", stage: connected,
			instead: "one document is written",
			call:    func(s *scene) testkit.Response { return s.match() },
		},
		{
			name: "ReplayRedoxOrder", stage: connected,
			instead: "one document is written",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/redox/orders/"+s.ids["order"]+"/replay", nil)
			},
		},
		{
			name: "SyncEHRData", stage: subscribed,
			instead: "each order stands for itself; the worker sends only what is new",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/ehr/sync", nil)
			},
			more: more,
		},
		{
			name: "SyncEHRDataForPatient", stage: subscribed,
			instead: "each order stands for itself; the worker sends only what is new",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/patients/"+s.ids["anna"]+"/ehr/sync", nil)
			},
			more: more,
		},
	}
}
