package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/store"
)

// update changes a name, as an edit form does.
func (b *bench) update(ctx context.Context, n int) error {
	body, err := json.Marshal(map[string]any{
		"fullName": fmt.Sprintf("Changed %d", n), "birthDate": "1999-01-02", "mrn": mrn(b.patient(n)), "tags": []string{b.tags[n%groups].Hex()},
	})
	if err != nil {
		return err
	}
	return b.do(ctx, serverToken, http.MethodPut, b.patientPath(n), body)
}

func (b *bench) updateOne(ctx context.Context, n int) error {
	_, err := b.patients.UpdateOne(ctx, b.ofPatient(n), bson.D{{Key: "$set", Value: bson.D{
		{Key: "fullName", Value: fmt.Sprintf("Changed %d", n)}, {Key: "tags", Value: bson.A{b.tags[n%groups]}}, {Key: "updatedTime", Value: store.Now()},
	}}})
	return err
}

func (b *bench) postSummary(ctx context.Context, n int) error {
	body, err := json.Marshal(b.maker.copy(n).summary(n))
	if err != nil {
		return err
	}
	return b.do(ctx, serverToken, http.MethodPost, "/v1/patients/"+userID(b.patient(n))+"/summary", body)
}

func (b *bench) updateSummary(ctx context.Context, n int) error {
	summary := b.maker.copy(n).summary(n)
	_, err := b.patients.UpdateMany(ctx, bson.D{{Key: "userId", Value: userID(b.patient(n))}}, bson.D{{Key: "$set", Value: bson.D{
		{Key: "summary.cgmStats", Value: summary.CGMStats}, {Key: "summary.bgmStats", Value: summary.BGMStats}, {Key: "updatedTime", Value: store.Now()},
	}}})
	return err
}

// withoutTag takes a tag from everybody, so that it can be given to them.
func (b *bench) withoutTag(tag int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := b.patients.UpdateMany(ctx, bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "tags", Value: b.tags[tag]}},
			bson.D{{Key: "$pull", Value: bson.D{{Key: "tags", Value: b.tags[tag]}}}})
		return err
	}
}

// assignTag gives a tag to all patients. The answer comes before all of them have it.
func (b *bench) assignTag(ctx context.Context, _ int) error {
	return b.do(ctx, serverToken, http.MethodPost, b.clinicPath("/patients/assign_tag/"+b.tags[0].Hex()), nil)
}

// everybodyTagged waits until all patients have the tag.
func (b *bench) everybodyTagged(ctx context.Context) error {
	for {
		n, err := b.patients.CountDocuments(ctx, bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "tags", Value: b.tags[0]}})
		if err != nil || int(n) == b.number {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (b *bench) assignTagToTheEnd(ctx context.Context, n int) error {
	if err := b.assignTag(ctx, n); err != nil {
		return err
	}
	return b.everybodyTagged(ctx)
}

func (b *bench) addTag(ctx context.Context, _ int) error {
	_, err := b.patients.UpdateMany(ctx, bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "tags", Value: bson.D{{Key: "$ne", Value: b.tags[1]}}}},
		bson.D{{Key: "$addToSet", Value: bson.D{{Key: "tags", Value: b.tags[1]}}}, {Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}}})
	return err
}

// count lets the service count the patients of the clinic.
func (b *bench) count(ctx context.Context) error {
	return b.do(ctx, serverToken, http.MethodPost, b.clinicPath("/patient_count/refresh"), nil)
}

// intake delivers a message of Redox. Each has a log id of its own.
func (b *bench) intake(ctx context.Context, _ int) error {
	body, err := json.Marshal(message(bson.NewObjectID().Hex()))
	if err != nil {
		return err
	}
	return b.do(ctx, "", http.MethodPost, "/v1/redox", body)
}

func (b *bench) insertMessage(ctx context.Context, _ int) error {
	_, err := b.database.Collection(redox.MessagesCollectionName).InsertOne(ctx, message(bson.NewObjectID().Hex()))
	return err
}

func message(log string) map[string]any {
	return map[string]any{
		"Meta": map[string]any{
			"DataModel": "Order", "EventType": "New", "EventDateTime": "2025-06-01T10:20:30.456Z",
			"Source": map[string]any{"ID": "source-1", "Name": "Clinic EHR"}, "Logs": []any{map[string]any{"ID": log}},
		},
		"Patient": map[string]any{"Identifiers": []any{map[string]any{"ID": "0000000001", "IDType": "MR"}}, "Notes": []any{}},
		"Order":   map[string]any{"ID": strings.Repeat("x", 1500)},
	}
}
