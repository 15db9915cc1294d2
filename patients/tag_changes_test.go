package patients_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
)

// ofManyBatches is a clinic whose changes take a while.
const ofManyBatches = 6*patients.BatchSize + 3

// afterBatch lets something be done when the whole batch of that number, counted from now, is complete, before the next begins.
func (c *largeClinic) afterBatch(number int, do func()) {
	c.largest.mu.Lock()
	defer c.largest.mu.Unlock()
	c.largest.between = func() {
		if number--; number == 0 {
			do()
		}
	}
}

// everybody returns the patients in the order of their records, in which they are changed.
func (c *largeClinic) everybody(t *testing.T) []string {
	t.Helper()
	var all []patients.Patient
	cursor, err := c.store.Collection(patients.CollectionName).Find(t.Context(), bson.D{{Key: "clinicId", Value: c.id}})
	require.NoError(t, err)
	require.NoError(t, cursor.All(t.Context(), &all))
	slices.SortFunc(all, func(a, b patients.Patient) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var ids []string
	for i := range all {
		ids = append(ids, all[i].UserID)
	}
	return ids
}

// tagged returns the patients who have the tag.
func (c *largeClinic) tagged(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, patient := range testkit.Documents(t, c.store, patients.CollectionName, bson.M{"clinicId": c.id, "tags": c.tag}) {
		ids = append(ids, patient["userId"].(string))
	}
	return ids
}

func (c *largeClinic) open(t *testing.T) int {
	t.Helper()
	return len(testkit.Documents(t, c.store, "tag_changes", bson.M{}))
}

// ends waits until no change is left.
func (c *largeClinic) ends(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return c.open(t) == 0 }, 30*time.Second, 20*time.Millisecond)
}

func (c *largeClinic) assign(t *testing.T, who patients.Selection) {
	t.Helper()
	require.NoError(t, c.service.AssignTag(t.Context(), c.id, c.tag, who))
}

func (c *largeClinic) remove(t *testing.T, who patients.Selection) {
	t.Helper()
	require.NoError(t, c.service.RemoveTag(t.Context(), c.id, c.tag, who))
}

func TestATagOfManyIsAnsweredBeforeAllHaveIt(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	c.service.AnswerTime = 50 * time.Millisecond
	c.assign(t, patients.Everyone())
	require.Zero(t, c.with(t, "tags", c.tag), "nobody works yet")
	late := patients.Patient{ClinicID: c.id, UserID: testkit.NewUserID()}
	_, err := c.store.Collection(patients.CollectionName).InsertOne(t.Context(), late)
	require.NoError(t, err)
	n, age, err := c.service.TagBacklog(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Less(t, age, time.Minute)

	runs(t, c.service)
	c.ends(t)
	require.Equal(t, ofManyBatches, c.with(t, "tags", c.tag), "who came after the request is not meant")
	_, err = c.counts.Recount(t.Context(), c.id) // the late patient came behind the back of the service
	require.NoError(t, err)
	require.Equal(t, ofManyBatches, c.groups(t).Tags[c.tag])
	n, _, err = c.service.TagBacklog(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestATagOfFewIsChangedAtOnce(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	all := c.everybody(t)
	c.assign(t, patients.Only(all[:patients.BatchSize]))
	require.Equal(t, patients.BatchSize, c.groups(t).Tags[c.tag])
	c.assign(t, patients.Everyone()) // few are left
	c.remove(t, patients.Only(all[3:5]))
	require.Equal(t, largeSize-2, c.groups(t).Tags[c.tag])
	require.Zero(t, c.open(t))
}

// TestChangesOfATagKeepTheirOrder: requests for a tag are carried out as they came, whatever they are about.
func TestChangesOfATagKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	all := c.everybody(t)
	c.service.AnswerTime = time.Millisecond
	other := bson.NewObjectID()
	c.assign(t, patients.Everyone())
	c.remove(t, patients.Only(all[:1]))
	c.remove(t, patients.Only(all[len(all)-2:]))
	c.assign(t, patients.Only(all[len(all)-1:]))
	require.NoError(t, c.service.AssignTag(t.Context(), c.id, other, patients.Only(all[:2])))
	require.Equal(t, 2, c.with(t, "tags", other), "another tag does not wait")
	require.Equal(t, 4, c.open(t))
	stop := runs(t, c.service)
	c.ends(t)
	require.ElementsMatch(t, slices.Delete(slices.Clone(all[1:]), len(all)-3, len(all)-2), c.tagged(t))
	require.Equal(t, ofManyBatches-2, c.groups(t).Tags[c.tag])
	stop()

	c.assign(t, patients.Everyone())
	c.remove(t, patients.Everyone())
	require.NoError(t, c.service.AssignTag(t.Context(), c.id, other, patients.Everyone()))
	runs(t, c.service)
	c.ends(t)
	require.Equal(t, map[bson.ObjectID]int{c.tag: 0}, c.groups(t).Tags)
	require.Equal(t, ofManyBatches, c.with(t, "tags", other))
}

// TestWhoChangesAPatientMeanwhileIsNotOverruled: somebody takes the tag off a patient whom the work has passed.
func TestWhoChangesAPatientMeanwhileIsNotOverruled(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	all := c.everybody(t)
	c.afterBatch(2, func() {
		_, err := c.replica().Update(t.Context(), c.id, all[1], patients.Details{FullName: "Ann", BirthDate: "2001-02-03", Tags: patients.TagIDs{}})
		if err != nil {
			t.Error(err)
		}
	})
	runs(t, c.service)
	c.assign(t, patients.Everyone())
	require.Equal(t, ofManyBatches-1, c.with(t, "tags", c.tag))
	require.Equal(t, ofManyBatches-1, c.groups(t).Tags[c.tag])
}

// TestAnotherProcessGoesOnWithATag: the first one ends between two batches, the second one begins where it was.
func TestAnotherProcessGoesOnWithATag(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	all := c.everybody(t)
	c.service.AnswerTime = time.Millisecond
	stopped := make(chan struct{})
	stop := runs(t, c.service)
	c.afterBatch(2, func() {
		go func() {
			defer close(stopped)
			stop()
		}()
		time.Sleep(50 * time.Millisecond)
	})
	c.assign(t, patients.Everyone())
	<-stopped
	have := c.with(t, "tags", c.tag)
	require.Zero(t, have%patients.BatchSize, "the batch that was under way is complete")
	require.Positive(t, have)
	require.Less(t, have, ofManyBatches)
	require.Equal(t, have, c.groups(t).Tags[c.tag])
	c.remove(t, patients.Only(all[:1]))
	c.largest.mu.Lock()
	c.largest.between = nil
	c.largest.mu.Unlock()

	runs(t, c.replica())
	c.ends(t)
	require.Equal(t, ofManyBatches-1, c.with(t, "tags", c.tag))
	require.Equal(t, ofManyBatches-1, c.groups(t).Tags[c.tag])
}

func TestATagThatIsDeletedIsGivenToNobodyAnyMore(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	c.service.AnswerTime = time.Millisecond
	removed := make(chan struct{})
	c.afterBatch(2, func() {
		defer close(removed)
		other := c.replica()
		other.AnswerTime = time.Millisecond
		if err := errors.Join(
			other.DeleteTag(t.Context(), c.id, c.tag),
			other.RemoveTag(t.Context(), c.id, c.tag, patients.Everyone()), // as the worker does, which sees the deletion
		); err != nil {
			t.Error(err)
		}
	})
	runs(t, c.service)
	c.assign(t, patients.Everyone())
	<-removed
	c.ends(t)
	require.Zero(t, c.with(t, "tags", c.tag))
	require.Equal(t, 2*patients.BatchSize, c.with(t, "updatedTime", bson.M{"$gt": time.Unix(0, 0)}), "the others were left alone")
	require.Zero(t, c.groups(t).Tags[c.tag])
}

func TestAClinicThatIsGoneEndsItsChanges(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, ofManyBatches)
	c.service.AnswerTime = time.Millisecond
	c.afterBatch(2, func() {
		_, err := c.store.Collection(patients.CollectionName).DeleteMany(context.Background(), bson.M{"clinicId": c.id})
		_, err2 := c.store.Collection(clinics.CollectionName).DeleteOne(context.Background(), bson.M{"_id": c.id})
		if err := errors.Join(err, err2, c.counts.Forget(context.Background(), c.id)); err != nil {
			t.Error(err)
		}
	})
	c.assign(t, patients.Everyone())
	runs(t, c.service)
	c.ends(t)
	require.Zero(t, c.with(t, "tags", c.tag))
	require.Empty(t, testkit.Documents(t, c.store, "patient_census", bson.M{"_id": c.id}))
	c.assign(t, patients.Everyone())
	require.Zero(t, c.open(t), "nobody is left")
}
