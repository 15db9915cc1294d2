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
	first    int // number of the first patient
	number   int
	maker    *maker
}

const (
	groups = 20 // tags and sites of the clinic
	batch  = 100
)

// newStage returns a clinic that is not stored yet, with so many patients of whom the first has that number.
func newStage(id bson.ObjectID, adminID string, first, number int) *stage {
	s := &stage{clinicID: id, adminID: adminID, first: first, number: number}
	s.maker = &maker{random: rand.New(rand.NewPCG(1, uint64(number))), clinicID: id}
	for i := range groups {
		tag, site := id, id
		tag[3], site[3] = 2, 3
		tag[4], site[4] = byte(i), byte(i)
		s.tags = append(s.tags, tag)
		s.maker.sites = append(s.maker.sites, patients.Site{ID: site, Name: fmt.Sprintf("Site %d", i)})
	}
	s.maker.tags = s.tags
	return s
}

// seed fills the database with the clinic, unless an earlier run did.
func seed(ctx context.Context, d *store.Database, number int) (*stage, error) {
	s := newStage(bson.ObjectID{0xbe, 0, 0, 1, 11: 1}, "be0ffffff1", 0, number)
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
	return s, s.insert(ctx, d)
}

func (s *stage) insert(ctx context.Context, d *store.Database) error {
	if err := s.insertClinic(ctx, d); err != nil {
		return err
	}
	return s.insertPatients(ctx, d)
}

func (s *stage) insertClinic(ctx context.Context, d *store.Database) error {
	code := s.clinicID.Hex()
	clinic := clinics.Clinic{
		ID: s.clinicID, Name: ptr("Load Clinic"), PreferredBGUnits: "mg/dL", CanonicalShareCode: code, ShareCodes: []string{code},
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
		ID: bson.NewObjectID(), ClinicID: s.clinicID, UserID: &s.adminID, Email: ptr(s.adminID + "@example.com"), Name: ptr("Load Admin"),
		Roles: []string{clinicians.RoleAdmin}, CreatedTime: seededTime, UpdatedTime: seededTime,
	})
	return err
}

func (s *stage) insertPatients(ctx context.Context, d *store.Database) error {
	started := time.Now()
	for first := 0; first < s.number; first += batch {
		records := make([]any, 0, batch)
		for n := first; n < min(first+batch, s.number); n++ {
			records = append(records, s.maker.patient(s.first+n))
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
