package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// stage is a seeded clinic.
type stage struct {
	name     string // for people who wait for it
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

// numberedStage returns a clinic by its number. All have the same patients under other ids, so that a person is in one clinic only.
func numberedStage(clinic, number int) *stage {
	admin := "be0ffffff1"
	if clinic > 0 {
		admin = fmt.Sprintf("be0ffe%04x", clinic)
	}
	return newStage(bson.ObjectID{0xbe, byte(clinic), byte(clinic >> 8), 1, 11: 1}, admin, clinic*number, number)
}

// seed fills the database with the clinics, except for those that an earlier run left there whole.
func seed(ctx context.Context, d *store.Database, s settings) ([]*stage, error) {
	if err := d.EnsureIndexes(ctx, app.Indexes()...); err != nil {
		return nil, err
	}
	var stages []*stage
	for n := range s.clinics {
		clinic := numberedStage(n, s.patients)
		clinic.name = fmt.Sprintf("clinic %d of %d", n+1, s.clinics)
		stages = append(stages, clinic)
		stored, err := d.Collection(patients.CollectionName).CountDocuments(ctx, bson.D{{Key: "clinicId", Value: clinic.clinicID}})
		if err != nil {
			return nil, err
		}
		if int(stored) == s.patients {
			continue
		}
		if err := clinic.drop(ctx, d); err != nil {
			return nil, err
		}
		if err := clinic.insert(ctx, d, s.inserters()); err != nil {
			return nil, err
		}
	}
	return stages, nil
}

// drop removes what there is of the clinic.
func (s *stage) drop(ctx context.Context, d *store.Database) error {
	for collection, field := range map[string]string{patients.CollectionName: "clinicId", clinicians.CollectionName: "clinicId", clinics.CollectionName: "_id"} {
		if _, err := d.Collection(collection).DeleteMany(ctx, bson.D{{Key: field, Value: s.clinicID}}); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) insert(ctx context.Context, d *store.Database, inserters int) error {
	if err := s.insertClinic(ctx, d); err != nil {
		return err
	}
	return s.insertPatients(ctx, d, inserters)
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

// insertPatients has one routine make the patients in order, so that they are always the same, and several store them.
func (s *stage) insertPatients(ctx context.Context, d *store.Database, inserters int) error {
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []any)
	group.Go(func() error {
		defer close(batches)
		for first := 0; first < s.number; first += batch {
			records := make([]any, 0, batch)
			for n := first; n < min(first+batch, s.number); n++ {
				records = append(records, s.maker.patient(s.first+n))
			}
			select {
			case batches <- records:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	stored := newProgress(os.Stderr, s.name, s.number, 5*time.Second)
	for range inserters {
		group.Go(func() error {
			for records := range batches {
				if _, err := d.Collection(patients.CollectionName).InsertMany(ctx, records); err != nil {
					return err
				}
				stored.add(len(records))
			}
			return nil
		})
	}
	return group.Wait()
}
