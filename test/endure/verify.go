package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// verify compares what was answered with what is stored, and waits until the numbers of all clinics are exact.
func verify(ctx context.Context, w *world, l *load) error {
	found, err := storedPatients(ctx, w.store)
	if err != nil {
		return err
	}
	for _, wrong := range compare(l.records(), found) {
		w.verdict.complain("%s", wrong)
	}
	begun := time.Now()
	err = until(ctx, settle, func() error {
		found, err := storedPatients(ctx, w.store) // a write that nobody answered may have come late
		if err != nil {
			return err
		}
		for _, c := range l.clinics {
			if err := l.client.compareCounts(ctx, c, found); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.verdict.complain("numbers: %s", err)
	}
	sure, unsure := 0, 0
	for _, r := range l.records() {
		if r.unsure || len(r.shapes) > 1 {
			unsure++
		} else if !r.gone {
			sure++
		}
	}
	fmt.Printf("%d patients are stored; %d had to be there in one shape; of %d the last write had no good answer\n", len(found), sure, unsure)
	fmt.Printf("the numbers of %d clinics, by clinic and tag, were exact %s s after the load\n\n", len(l.clinics), seconds(time.Since(begun)))
	return ctx.Err()
}

// storedPatients reads all patients past the service.
func storedPatients(ctx context.Context, d *store.Database) ([]stored, error) {
	cursor, err := d.Collection(patients.CollectionName).Find(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	var documents []struct {
		ClinicID bson.ObjectID   `bson:"clinicId"`
		UserID   string          `bson:"userId"`
		MRN      string          `bson:"mrn"`
		FullName string          `bson:"fullName"`
		Tags     []bson.ObjectID `bson:"tags"`
	}
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, err
	}
	found := make([]stored, 0, len(documents))
	for _, document := range documents {
		s := stored{clinic: document.ClinicID.Hex(), id: document.UserID, mrn: document.MRN, shape: shape{name: document.FullName}}
		if len(document.Tags) == 1 {
			s.shape.tag = document.Tags[0].Hex()
		}
		found = append(found, s)
	}
	return found, nil
}

// compareCounts returns an error if the service shows other numbers of a clinic than there are patients.
func (c client) compareCounts(ctx context.Context, of clinic, found []stored) error {
	wanted, byTag := 0, map[string]int{}
	for _, p := range found {
		if p.clinic == of.id {
			wanted++
			byTag[p.shape.tag]++
		}
	}
	var count struct {
		Total int `json:"total"`
	}
	if err := c.must(ctx, server, http.MethodGet, of.path("/patient_count"), nil, &count); err != nil {
		return err
	}
	if count.Total != wanted {
		return fmt.Errorf("clinic %s shows %d patients, and has %d", of.id, count.Total, wanted)
	}
	var shown struct {
		PatientTags []struct {
			ID          string `json:"id"`
			NumPatients int    `json:"numPatients"`
		} `json:"patientTags"`
	}
	if err := c.must(ctx, server, http.MethodGet, of.path(""), nil, &shown); err != nil {
		return err
	}
	for _, tag := range shown.PatientTags {
		if tag.NumPatients != byTag[tag.ID] {
			return fmt.Errorf("clinic %s shows %d patients with tag %s, and has %d", of.id, tag.NumPatients, tag.ID, byTag[tag.ID])
		}
	}
	return nil
}
