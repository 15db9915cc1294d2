package patients_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// largestWrites listens to a connection for how many documents one update changed at most.
type largestWrites struct {
	mu   sync.Mutex
	most int64
}

func (l *largestWrites) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Succeeded: func(_ context.Context, done *event.CommandSucceededEvent) {
		if n, ok := done.Reply.Lookup("nModified").AsInt64OK(); ok {
			l.mu.Lock()
			l.most = max(l.most, n)
			l.mu.Unlock()
		}
	}}
}

func TestALargeClinicIsChangedInBatches(t *testing.T) {
	t.Parallel()
	const size = patients.BatchSize + 7
	d := testkit.Database(t)
	var largest largestWrites
	watched, err := store.Open(testkit.Store(d.Name()), zap.NewNop(), store.Monitors{Commands: largest.monitor()})
	require.NoError(t, err)
	require.NoError(t, watched.Connect(t.Context(), false))
	t.Cleanup(func() { _ = watched.Close(context.Background()) })
	counts := testkit.Census(watched, "")
	service := patients.NewService(patients.Params{
		Database: watched, Leases: store.NewLeases(watched), Clinics: clinics.NewService(watched, counts), Census: counts, Log: zap.NewNop(),
	})
	clinicID, tag, north, south := bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID()
	sites := []clinics.Site{{ID: north, Name: "North"}, {ID: south, Name: "South"}}
	_, err = d.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.M{
		"_id": clinicID, "patientTags": bson.A{bson.M{"_id": tag, "name": "Tag"}}, "sites": sites, "shareCodes": bson.A{"A"}, "canonicalShareCode": "A",
		"patientCount": census.PatientCount{Total: size, Plan: size},
	})
	require.NoError(t, err)
	var all []any
	for range size {
		all = append(all, patients.Patient{ClinicID: clinicID, UserID: testkit.NewUserID(), Sites: patients.Sites{patients.Site(sites[0])}})
	}
	_, err = d.Collection(patients.CollectionName).InsertMany(t.Context(), all)
	require.NoError(t, err)
	_, err = counts.Recount(t.Context(), clinicID)
	require.NoError(t, err)
	groups := func() census.Groups {
		found, err := counts.Groups(t.Context(), []bson.ObjectID{clinicID})
		require.NoError(t, err)
		drift, err := counts.Recount(t.Context(), clinicID)
		require.NoError(t, err)
		require.True(t, drift.IsZero(), "the census was kept batch by batch: %+v", drift)
		return found[clinicID]
	}

	require.NoError(t, service.AssignTag(t.Context(), clinicID, tag, patients.Everyone()))
	require.NoError(t, service.AssignTag(t.Context(), clinicID, tag, patients.Everyone()), "a repeat finds nobody left")
	require.Equal(t, size, groups().Tags[tag])
	_, err = service.MergeSite(t.Context(), clinicID, north, south)
	require.NoError(t, err)
	require.Equal(t, map[bson.ObjectID]int{south: size}, groups().Sites)
	require.NoError(t, service.DeleteSite(t.Context(), clinicID, south))
	require.NoError(t, service.RemoveTag(t.Context(), clinicID, tag, patients.Everyone()))
	require.Zero(t, groups().Tags[tag])
	left, err := d.Collection(patients.CollectionName).CountDocuments(t.Context(), bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "tags.0", Value: bson.D{{Key: "$exists", Value: true}}}}, bson.D{{Key: "sites.0", Value: bson.D{{Key: "$exists", Value: true}}}},
	}}})
	require.NoError(t, err)
	require.Zero(t, left)
	require.Equal(t, int64(patients.BatchSize), largest.most)
}
