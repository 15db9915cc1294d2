package patients_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

func TestWhatNeedsTheTagsOfEverybodyWaitsForThem(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	c.service.AnswerTime = time.Millisecond
	c.assign(t, patients.Everyone())
	began := time.Now()
	_, err := c.service.ConvertTag(t.Context(), c.id, c.tag)
	require.ErrorIs(t, err, patients.ErrTagsChange, "nobody works")
	require.Equal(t, errs.Unavailable, errs.KindOf(err))
	require.Less(t, time.Since(began), 10*time.Second, "a gateway waits longer")
	runs(t, c.service)
	site, err := c.service.ConvertTag(t.Context(), c.id, c.tag)
	require.NoError(t, err)
	require.Equal(t, map[bson.ObjectID]int{c.north: largeSize, site.ID: largeSize}, c.groups(t).Sites)
	require.NoError(t, c.service.AwaitTagChanges(t.Context(), c.id, bson.NewObjectID()))
}

// spoil stores a patient, behind all others, of whom the database refuses to take the tag.
func (c *largeClinic) spoil(t *testing.T) {
	t.Helper()
	_, err := c.store.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
		"clinicId": c.id, "userId": testkit.NewUserID(), "tags": c.tag,
	})
	require.NoError(t, err)
}

func TestAChangeThatFailsSoonFailsTheRequest(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	runs(t, c.service)
	c.assign(t, patients.Everyone())
	c.spoil(t)
	require.Error(t, c.service.RemoveTag(t.Context(), c.id, c.tag, patients.Everyone()))
	c.ends(t)
	require.Less(t, c.with(t, "tags", c.tag), largeSize, "what came before is done")
}

// TestAClinicWhoseChangeFailsStopsNoOther also holds that such a change is given up at last.
func TestAClinicWhoseChangeFailsStopsNoOther(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	c.service.AnswerTime = time.Millisecond
	stop := runs(t, c.service)
	c.assign(t, patients.Everyone())
	c.ends(t)
	c.spoil(t)
	stop()
	c.remove(t, patients.Everyone())
	other := c.another(t)
	require.NoError(t, c.service.AssignTag(t.Context(), other, c.tag, patients.Everyone()))
	stop = runs(t, c.service)
	require.Eventually(t, func() bool { return c.open(t) == 1 }, 30*time.Second, 20*time.Millisecond)
	n, err := c.store.Collection(patients.CollectionName).CountDocuments(t.Context(), bson.M{"clinicId": other, "tags": c.tag})
	require.NoError(t, err)
	require.EqualValues(t, largeSize, n)
	require.Equal(t, c.id, testkit.Documents(t, c.store, "tag_changes", bson.M{})[0]["clinicId"], "it is kept")
	stop()

	_, err = c.store.Collection("tag_changes").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"time": time.Now().Add(-2 * time.Hour)}})
	require.NoError(t, err)
	runs(t, c.replica())
	c.ends(t)
}

// another stores a clinic with as many patients, and returns its id.
func (c *largeClinic) another(t *testing.T) bson.ObjectID {
	t.Helper()
	id := bson.NewObjectID()
	_, err := c.store.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.M{"_id": id, "shareCodes": bson.A{"B"}, "canonicalShareCode": "B"})
	require.NoError(t, err)
	var all []any
	for range largeSize {
		all = append(all, patients.Patient{ClinicID: id, UserID: testkit.NewUserID()})
	}
	_, err = c.store.Collection(patients.CollectionName).InsertMany(t.Context(), all)
	require.NoError(t, err)
	return id
}

// TestOneProcessAtATimeChangesTheTagsOfAClinic also holds that the other one takes over when the lease has run out.
func TestOneProcessAtATimeChangesTheTagsOfAClinic(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	_, lease, err := store.NewLeases(c.watched).Try(t.Context(), "tags", c.id.Hex())
	require.NoError(t, err)
	c.service.AnswerTime = 300 * time.Millisecond
	runs(t, c.service)
	c.assign(t, patients.Everyone())
	require.Zero(t, c.with(t, "tags", c.tag))
	lease.Release()
	c.ends(t)
	require.Equal(t, largeSize, c.groups(t).Tags[c.tag])
}
