package census_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// stage is a clinic with one tag and one site, whose patients are counted.
type stage struct {
	*census.Service
	store     *store.Database
	id        bson.ObjectID
	tag, site bson.ObjectID
}

func newStage(t *testing.T, d *store.Database) stage {
	t.Helper()
	s := stage{Service: testkit.Census(d, ""), store: d, id: bson.NewObjectID(), tag: bson.NewObjectID(), site: bson.NewObjectID()}
	_, err := d.Collection("clinics").InsertOne(t.Context(), bson.M{
		"_id": s.id, "shareCodes": bson.A{s.id.Hex()}, "canonicalShareCode": s.id.Hex(), "patientCount": census.PatientCount{},
		"patientTags": bson.A{bson.M{"_id": s.tag, "name": "tag"}}, "sites": bson.A{bson.M{"id": s.site, "name": "site"}},
		"updatedTime": time.Unix(0, 0),
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), s.id))
	return s
}

// insert writes a patient, and returns what it counts.
func (s stage) insert(ctx context.Context, facts census.Facts) (census.Count, error) {
	facts.UserID = bson.NewObjectID().Hex()
	sites, sources := bson.A{}, bson.A{}
	for _, id := range facts.Sites {
		sites = append(sites, bson.M{"id": id})
	}
	for _, source := range facts.Sources {
		sources = append(sources, bson.M{"providerName": source.Provider, "state": source.State})
	}
	_, err := s.store.Collection("patients").InsertOne(ctx, bson.M{
		"clinicId": s.id, "userId": facts.UserID, "tags": facts.Tags, "sites": sites, "dataSources": sources,
	})
	return s.Of(facts), err
}

func (s stage) add(t *testing.T, facts census.Facts) {
	t.Helper()
	require.NoError(t, s.Change(t.Context(), s.id, func(ctx context.Context) (census.Count, error) { return s.insert(ctx, facts) }))
}

func (s stage) count(t *testing.T) census.PatientCount {
	t.Helper()
	count, err := s.PatientCount(t.Context(), s.id)
	require.NoError(t, err)
	return count
}

func (s stage) requireExact(t *testing.T) {
	t.Helper()
	drift, err := s.Recount(t.Context(), s.id)
	require.NoError(t, err)
	require.True(t, drift.IsZero(), "%+v", drift)
}

func (s stage) clinic(t *testing.T) bson.M {
	t.Helper()
	return testkit.Documents(t, s.store, "clinics", bson.M{"_id": s.id})[0]
}

func (s stage) numbers(t *testing.T) bson.M {
	t.Helper()
	return testkit.Documents(t, s.store, census.CollectionName, bson.M{"_id": s.id})[0]
}

// setCount stores another total, as a writer that knows nothing of the census would.
func (s stage) setCount(t *testing.T, value any) {
	t.Helper()
	_, err := s.store.Collection("clinics").UpdateByID(t.Context(), s.id, bson.M{"$set": bson.M{"patientCount": value}})
	require.NoError(t, err)
}

// leaveNotes leaves notes of processes that died.
func (s stage) leaveNotes(t *testing.T, number int, reserved int, at time.Time) {
	t.Helper()
	notes := make([]any, number)
	for i := range notes {
		notes[i] = bson.M{"clinicId": s.id, "time": at, "reserved": reserved}
	}
	_, err := s.store.Collection(census.NotesCollectionName).InsertMany(t.Context(), notes)
	require.NoError(t, err)
}

func (s stage) notes(t *testing.T) int {
	t.Helper()
	return len(testkit.Documents(t, s.store, census.NotesCollectionName, bson.M{"clinicId": s.id}))
}
