package xealth

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

const sentOrder = `{"orderInfo":{"deployment":"d","orderId":"o","orderState":"ordered","orderCreationDateTime":"2024-02-01T10:00:00.25Z"},
	"patientIdentity":{"ids":[{"id":"e1","type":"MRN"}],"historicalIds":null},"preorder":{"dataTrackingId":""},
	"datasets":{"demographicsV1":{"birthDate":"1985-01-11","name":{"given":["A"]},"telecom":[{"system":"email","value":"a@x.example","rank":1}]}},"else":1}`

func TestStoredOrderTypes(t *testing.T) {
	t.Parallel()
	order, err := parseOrder(json.RawMessage(sentOrder))
	require.NoError(t, err)
	require.Equal(t, bson.D{
		{Key: "datasets", Value: bson.D{{Key: "demographicsV1", Value: bson.D{
			{Key: "birthDate", Value: bson.D{{Key: "time", Value: time.Date(1985, 1, 11, 0, 0, 0, 0, time.UTC)}}},
			{Key: "name", Value: bson.D{{Key: "given", Value: bson.A{"A"}}}},
			{Key: "telecom", Value: bson.A{bson.D{{Key: "rank", Value: 1.0}, {Key: "system", Value: "email"}, {Key: "value", Value: "a@x.example"}}}},
		}}}},
		{Key: "orderInfo", Value: bson.D{
			{Key: "deployment", Value: "d"}, {Key: "orderCreationDateTime", Value: time.Date(2024, 2, 1, 10, 0, 0, 250e6, time.UTC)},
			{Key: "orderId", Value: "o"}, {Key: "orderState", Value: "ordered"},
		}},
		{Key: "patientIdentity", Value: bson.D{{Key: "ids", Value: bson.A{bson.D{{Key: "id", Value: "e1"}, {Key: "type", Value: "MRN"}}}}}},
		{Key: "preorder", Value: bson.D{{Key: "dataTrackingId", Value: ""}}},
	}, order.document)
}

// TestStoredOrderIsReadAsItWasSent also holds for what the reference service stored, which is the same form.
func TestStoredOrderIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	sent, err := parseOrder(json.RawMessage(sentOrder))
	require.NoError(t, err)
	content, err := bson.Marshal(sent.document)
	require.NoError(t, err)
	var loaded bson.D
	require.NoError(t, bson.Unmarshal(content, &loaded))
	read, err := loadOrder(loaded)
	require.NoError(t, err)
	require.Equal(t, loaded, read.document)
	sent.document, read.document = nil, nil
	require.Equal(t, sent, read)
	trackingID, ok := read.trackingID()
	require.True(t, ok, "an empty id is an id")
	require.Empty(t, trackingID)
}
