package redox_models_test

import (
	"encoding/json"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/tidepool-org/clinic/redox_models"
)

const order = `{
	"Meta": {
		"DataModel": "Order", "EventType": "New", "Test": true, "Source": {"ID": "source-1", "Name": null},
		"Destinations": [], "Logs": [{"ID": "log-1", "AttemptID": "attempt-1"}], "Message": {"ID": 12345678848}, "Transmission": {"ID": null}
	},
	"Patient": {"Identifiers": [{"ID": "0000000001", "IDType": "MR"}], "Demographics": {"DOB": "2008-01-06", "EmailAddresses": ["a@example.com"]}},
	"Visit": {"VisitNumber": "1234", "Location": {"Department": "3N"}},
	"Order": {"ID": "157968300", "Procedure": {"Code": "49086-2"}, "ClinicalInfo": [{"Code": "COHORT", "Value": "camp"}]}
}`

func TestOrder(t *testing.T) {
	t.Parallel()
	var got redox_models.NewOrder
	if err := json.Unmarshal([]byte(order), &got); err != nil {
		t.Fatal(err)
	}
	if *got.Patient.Demographics.DOB != "2008-01-06" || got.Order.ID != "157968300" || *(*got.Order.ClinicalInfo)[0].Value != "camp" {
		t.Fatalf("got %+v", got)
	}
	// The member can be converted: both have the same fields, tags apart.
	meta := redox_models.Meta(got.Meta)
	if !meta.IsValid() || *meta.Message.ID != 12345678848 || meta.Transmission.ID != nil || *meta.Source.ID != "source-1" {
		t.Fatalf("got %+v", meta)
	}
}

func TestMessagesAreValidIfTheySayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for meta, want := range map[redox_models.Meta]bool{
		{}:                                      false,
		{DataModel: "Order"}:                    false,
		{EventType: "New"}:                      false,
		{DataModel: "Sample", EventType: "Any"}: true,
	} {
		if meta.IsValid() != want {
			t.Errorf("%+v", meta)
		}
	}
}

// stored is a record as the service writes it.
func stored(messageID any) bson.D {
	return bson.D{
		{Key: "_id", Value: primitive.NewObjectID()},
		{Key: "meta", Value: bson.D{
			{Key: "DataModel", Value: "Order"}, {Key: "EventType", Value: "New"}, {Key: "EventDateTime", Value: nil},
			{Key: "FacilityCode", Value: "F1"}, {Key: "Test", Value: false},
			{Key: "Source", Value: bson.D{{Key: "ID", Value: "source-1"}, {Key: "Name", Value: nil}}},
			{Key: "Destinations", Value: bson.A{}},
			{Key: "Message", Value: bson.D{{Key: "ID", Value: messageID}}},
		}},
		{Key: "message", Value: bson.D{{Key: "Order", Value: bson.D{{Key: "ID", Value: "157968300"}}}}},
	}
}

func TestStoredMessages(t *testing.T) {
	t.Parallel()
	raw, err := bson.Marshal(stored(12345678848.0))
	if err != nil {
		t.Fatal(err)
	}
	var got redox_models.MessageEnvelope
	if err := bson.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Id.IsZero() || !got.Meta.IsValid() || *got.Meta.Message.ID != 12345678848 || *got.Meta.Source.ID != "source-1" ||
		got.Meta.EventDateTime != nil || got.Meta.Transmission != nil || len(*got.Meta.Destinations) != 0 || got.Meta.Logs != nil {
		t.Fatalf("got %+v", got)
	}
	if id := got.Message.Lookup("Order", "ID").StringValue(); id != "157968300" {
		t.Fatal(id)
	}
	again, err := bson.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := bson.Raw(raw).String(), bson.Raw(again).String(); len(want) != len(have) {
		t.Fatalf("read %s, written %s", want, have)
	}
}

// TestNumbersThatAreNoFloat32 holds why the service rounds what it stores.
func TestNumbersThatAreNoFloat32(t *testing.T) {
	t.Parallel()
	raw, err := bson.Marshal(stored(12345678901.0))
	if err != nil {
		t.Fatal(err)
	}
	var got redox_models.MessageEnvelope
	if err := bson.Unmarshal(raw, &got); err == nil || !strings.Contains(err.Error(), "float32") && !strings.Contains(err.Error(), "truncate") {
		t.Fatalf("got %+v, %v", got.Meta.Message, err)
	}
}
