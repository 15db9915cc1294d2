package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// stage is the seeded clinic.
type stage struct {
	clinicID bson.ObjectID
	adminID  string
	tags     []bson.ObjectID
	number   int
	maker    *maker
}

const (
	groups = 20 // tags and sites of the clinic
	batch  = 100
)

// seed fills the database with the clinic, unless an earlier run did.
func seed(ctx context.Context, d *store.Database, number int) (*stage, error) {
	s := &stage{clinicID: bson.ObjectID{0xbe, 0, 0, 1, 11: 1}, adminID: "be0ffffff1", number: number}
	random := rand.New(rand.NewPCG(1, uint64(number)))
	s.maker = &maker{random: random, clinicID: s.clinicID}
	for i := range groups {
		s.tags = append(s.tags, bson.ObjectID{0xbe, 0, 0, 2, 11: byte(i)})
		s.maker.sites = append(s.maker.sites, patients.Site{ID: bson.ObjectID{0xbe, 0, 0, 3, 11: byte(i)}, Name: fmt.Sprintf("Site %d", i)})
	}
	s.maker.tags = s.tags
	if err := d.EnsureIndexes(ctx, app.Indexes()...); err != nil {
		return nil, err
	}
	stored, err := d.Collection(patients.CollectionName).CountDocuments(ctx, bson.D{{Key: "clinicId", Value: s.clinicID}})
	if err != nil || int(stored) == number {
		return s, err
	}
	for _, collection := range []string{patients.CollectionName, clinics.CollectionName, clinicians.CollectionName} {
		if _, err := d.Collection(collection).DeleteMany(ctx, bson.D{}); err != nil {
			return nil, err
		}
	}
	if err := s.insertClinic(ctx, d); err != nil {
		return nil, err
	}
	return s, s.insertPatients(ctx, d)
}

func (s *stage) insertClinic(ctx context.Context, d *store.Database) error {
	clinic := clinics.Clinic{
		ID: s.clinicID, Name: ptr("Load Clinic"), PreferredBGUnits: "mg/dL", CanonicalShareCode: "LOAD-LOAD-LOAD", ShareCodes: []string{"LOAD-LOAD-LOAD"},
		Admins: []string{s.adminID}, IsMigrated: true, CreatedTime: seededTime, UpdatedTime: seededTime,
	}
	for i, tag := range s.tags {
		clinic.PatientTags = append(clinic.PatientTags, clinics.PatientTag{ID: tag, Name: fmt.Sprintf("Tag %d", i)})
		clinic.Sites = append(clinic.Sites, clinics.Site{ID: s.maker.sites[i].ID, Name: s.maker.sites[i].Name})
	}
	if _, err := d.Collection(clinics.CollectionName).InsertOne(ctx, clinic); err != nil {
		return err
	}
	_, err := d.Collection(clinicians.CollectionName).InsertOne(ctx, clinicians.Clinician{
		ID: bson.ObjectID{0xbe, 0, 0, 4, 11: 1}, ClinicID: s.clinicID, UserID: &s.adminID, Email: ptr("load@example.com"), Name: ptr("Load Admin"),
		Roles: []string{clinicians.RoleAdmin}, CreatedTime: seededTime, UpdatedTime: seededTime,
	})
	return err
}

func (s *stage) insertPatients(ctx context.Context, d *store.Database) error {
	started := time.Now()
	for first := 0; first < s.number; first += batch {
		records := make([]any, 0, batch)
		for n := first; n < min(first+batch, s.number); n++ {
			records = append(records, s.maker.patient(n))
		}
		if _, err := d.Collection(patients.CollectionName).InsertMany(ctx, records); err != nil {
			return err
		}
		if done := first + len(records); done%(10*batch) == 0 || done == s.number {
			fmt.Fprintf(os.Stderr, "\rload: seeding %d of %d patients, %s ", done, s.number, time.Since(started).Round(time.Second))
		}
	}
	fmt.Fprintln(os.Stderr)
	return nil
}
