package redox_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// TestOddlyStoredMessagesAreReadAsIfTheyLackedThat: what a foreign hand stored never stops an order, and is told without
// its content.
func TestOddlyStoredMessagesAreReadAsIfTheyLackedThat(t *testing.T) {
	t.Parallel()
	meta := func(extra bson.M) bson.M {
		m := bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "source-1"}}
		for name, value := range extra {
			m[name] = value
		}
		return m
	}
	message := bson.M{"Patient": bson.M{"Identifiers": bson.A{bson.M{"ID": "secret", "IDType": "MR"}}, "Demographics": bson.M{"FirstName": "secret", "DOB": "2008-01-06"}}}
	const noSource = "bad request: source id is required"
	tests := map[string]struct {
		meta    bson.M
		message any
		derived any
		odd     bool
		fails   string
	}{
		"as intake stores it":       {meta(nil), message, nil, false, ""},
		"payload is null":           {meta(nil), nil, nil, true, ""},
		"payload is a text":         {meta(nil), "secret", nil, true, ""},
		"payload is a list":         {meta(nil), bson.A{message}, nil, true, ""},
		"payload is empty":          {meta(nil), bson.M{}, nil, false, ""},
		"source is null":            {meta(bson.M{"Source": nil}), message, nil, false, noSource},
		"source is a text":          {meta(bson.M{"Source": "secret"}), message, nil, true, noSource},
		"source id is null":         {meta(bson.M{"Source": bson.M{"ID": nil}}), message, nil, false, noSource},
		"source id is a number":     {meta(bson.M{"Source": bson.M{"ID": 7}}), message, nil, true, noSource},
		"unread members are odd":    {meta(bson.M{"Logs": "x", "Destinations": 5, "Test": "yes", "Message": bson.A{}, "EventDateTime": 1}), message, nil, false, ""},
		"model is a list":           {meta(bson.M{"DataModel": bson.A{"Order"}}), message, nil, false, ""},
		"derived is a text":         {meta(nil), message, "secret", true, ""},
		"derived is null inside":    {meta(nil), message, bson.M{"redeliveryOf": nil}, false, ""},
		"redelivery is a text":      {meta(nil), message, bson.M{"redeliveryOf": "secret"}, true, ""},
		"null objects in a payload": {meta(nil), bson.M{"Patient": nil, "Order": nil, "Visit": nil}, nil, false, ""},
		"lists of null":             {meta(nil), bson.M{"Patient": bson.M{"Identifiers": bson.A{nil, nil}}}, nil, false, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConnected(t)
			count := &odd{}
			core, logs := observer.New(zapcore.DebugLevel)
			service := newLoggingService(c.store, count, zap.New(core))
			_, err := c.store.Collection(clinics.CollectionName).UpdateByID(t.Context(), c.clinicID,
				bson.M{"$set": bson.M{"ehrSettings.procedureCodes": bson.M{"enableSummaryReports": "49086-2"}}})
			require.NoError(t, err)
			id := bson.NewObjectID()
			document := bson.M{"_id": id, "meta": test.meta, "message": test.message}
			if test.derived != nil {
				document["derived"] = test.derived
			}
			_, err = c.store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), document)
			require.NoError(t, err)
			_, err = c.store.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
				"clinicId": c.clinicID, "userId": "1234567890", "fullName": "secret", "birthDate": "2008-01-06", "mrn": "secret",
				"ehrSubscriptions": bson.M{"summaryAndReports": bson.M{"active": true, "matchedMessages": bson.A{bson.M{"id": id}}}},
			})
			require.NoError(t, err)

			_, err = service.MatchOrder(t.Context(), id, &redox.PatientOptions{Criteria: []redox.Criterion{redox.ByMRN}, OnUniqueMatch: redox.EnableReports})
			if test.fails == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, test.fails, errs.Public(err))
			}
			listed := 0
			for state, err := range service.Orders(t.Context(), redox.OrderFilter{Since: time.Now().Add(-time.Hour)}) {
				require.NoError(t, err)
				require.Equal(t, id, state.ID)
				listed++
			}
			require.Equal(t, 1, listed)
			_, err = service.SyncClinic(t.Context(), c.clinicID)
			require.NoError(t, err)
			_, isPayload := test.message.(bson.M)
			require.Equal(t, isPayload, len(c.scheduled(t)) == 1, "a copy that the worker cannot read is not made")

			told := logs.FilterMessage("a stored message of Redox has an unexpected form").All()
			require.Equal(t, test.odd, count.Load() > 0)
			require.Len(t, told, int(count.Load()))
			for _, entry := range logs.All() {
				line, err := json.Marshal(entry.ContextMap())
				require.NoError(t, err)
				require.NotContains(t, string(line), "secret")
			}
			if test.odd {
				require.Equal(t, id.Hex(), told[0].ContextMap()["id"])
			}
		})
	}
}

// TestOddlyStoredNeighboursOfADelivery: neither an earlier delivery nor an earlier scheduled order of an odd form stops what
// comes later.
func TestOddlyStoredNeighboursOfADelivery(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 1, "")
	message := c.last(t).ID
	_, err := c.store.Collection(redox.ScheduledCollectionName).InsertMany(t.Context(), []any{
		bson.M{"_id": "text", "lastMatchedOrder": bson.M{"_id": message}, "createdTime": time.Now().Add(time.Hour)},
		bson.M{"lastMatchedOrder": bson.M{"_id": message}, "createdTime": nil},
	})
	require.NoError(t, err)
	n, err := c.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, 1, n)

	_, err = c.store.Collection(redox.MessagesCollectionName).InsertMany(t.Context(), []any{
		bson.M{"_id": "a text", "meta": bson.M{"Logs": bson.A{bson.M{"ID": "log-1"}}}},
		bson.M{"_id": bson.M{"an": "object"}, "meta": bson.M{"Logs": bson.A{nil, "x", bson.M{"ID": "log-2"}}}},
	})
	require.NoError(t, err)
	for _, log := range []string{"log-1", "log-2"} {
		require.NoError(t, c.Receive(t.Context(), []byte(`{"Meta":{"DataModel":"X","EventType":"Y","Logs":[{"ID":"`+log+`"}]}}`)), log)
	}
}
