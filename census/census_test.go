package census_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// counted sets the stage: a clinic with one tag, and no patients.
func counted(t *testing.T) (d *store.Database, clinicID, tagID bson.ObjectID) {
	t.Helper()
	d, clinicID, tagID = testkit.Database(t), bson.NewObjectID(), bson.NewObjectID()
	_, err := d.Collection("clinics").InsertOne(t.Context(), bson.D{
		{Key: "_id", Value: clinicID}, {Key: "canonicalShareCode", Value: clinicID.Hex()}, {Key: "shareCodes", Value: bson.A{clinicID.Hex()}},
		{Key: "patientTags", Value: bson.A{bson.D{{Key: "_id", Value: tagID}, {Key: "name", Value: "Pump"}}}},
		{Key: "patientCount", Value: census.PatientCount{}},
	})
	require.NoError(t, err)
	return d, clinicID, tagID
}

// join returns a write that adds a patient with tags.
func join(d *store.Database, s *census.Service, clinicID bson.ObjectID, tags ...bson.ObjectID) func(ctx context.Context) (census.Count, error) {
	return func(ctx context.Context) (census.Count, error) {
		id := bson.NewObjectID().Hex()[14:]
		_, err := d.Collection("patients").InsertOne(ctx, bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: id}, {Key: "tags", Value: tags}})
		return s.Of(census.Facts{UserID: id, Tags: tags}), err
	}
}

func TestTheLastPlaceGoesToOne(t *testing.T) {
	t.Parallel()
	d, clinicID, _ := counted(t)
	plan := 3
	var mu sync.Mutex
	filled := 0
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			s := testkit.Census(d, "")
			place, err := s.Reserve(t.Context(), clinicID, &plan)
			if err == nil {
				err = place.Fill(t.Context(), join(d, s, clinicID))
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				filled++
			} else if !errors.Is(err, census.ErrLimitReached) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, plan, filled)
	require.Len(t, testkit.Documents(t, d, "patients", bson.D{{Key: "clinicId", Value: clinicID}}), plan)
	require.Empty(t, testkit.Documents(t, d, census.NotesCollectionName, bson.D{}))
}
