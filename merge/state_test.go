package merge_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// intruder lets a patient into the source whenever it is about to be removed.
type intruder struct {
	merge.Remover
	join func()
}

func (r intruder) Delete(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	r.join()
	return r.Remover.Delete(ctx, clinicID, deletedBy)
}

// intruded returns a service whose source gets a patient whenever it is about to be removed.
func intruded(d *store.Database, join func()) *merge.Service {
	log := zap.NewNop()
	counts, tags, remover := counterparts(d)
	s := merge.NewService(d, testkit.Census(d, demoUser), counts, tags, intruder{remover, join}, demo, log)
	s.LeaseTime = 300 * time.Millisecond
	return s
}

func TestAMergeThatFallsBehindSaysToRepeat(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	joined := 0
	err := intruded(d, func() {
		joined++
		insert(t, d, patients.CollectionName, storedPatient(sourceID, fmt.Sprint("late", joined), nil))
	}).Merge(t.Context(), sourceID, targetID)
	require.ErrorIs(t, err, merge.ErrBehind)
	require.Equal(t, errs.Conflict, errs.KindOf(err))
	require.Contains(t, err.Error(), "repeat")
	require.Equal(t, 5, joined)
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	for i := range joined {
		require.Equal(t, targetID, owner(t, d, patients.CollectionName, fmt.Sprint("late", i+1)))
	}
	require.Len(t, testkit.Documents(t, d, merge.PlansCollectionName, bson.D{{Key: "type", Value: "patient"}}), 9+5, "one for each, and none twice")
}

func TestWhereNewPatientsBelongDuringAMerge(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	redirects := merge.NewRedirects(d)
	requireTargets := func(inProgress, mergedInto *bson.ObjectID) {
		t.Helper()
		found, err := redirects.InProgress(t.Context(), sourceID)
		require.NoError(t, err)
		require.Equal(t, inProgress, found)
		found, err = redirects.MergedInto(t.Context(), sourceID)
		require.NoError(t, err)
		require.Equal(t, mergedInto, found)
		for _, clinicID := range []bson.ObjectID{targetID, id("unknown")} {
			found, err = redirects.MergedInto(t.Context(), clinicID)
			require.NoError(t, err)
			require.Nil(t, found)
		}
	}
	requireTargets(nil, nil)
	looked := false
	require.NoError(t, intruded(d, func() {
		looked = true
		requireTargets(&targetID, &targetID)
	}).Merge(t.Context(), sourceID, targetID))
	require.True(t, looked)
	requireTargets(nil, &targetID)
}

func TestAPlannedMergeWithoutTracesIsNoRedirectAndGivesWay(t *testing.T) {
	t.Parallel()
	d := interrupted(t, "open_merge_steps")
	found, err := merge.NewRedirects(d).InProgress(t.Context(), sourceID)
	require.NoError(t, err)
	require.Nil(t, found)
	insert(t, d, clinics.CollectionName, storedClinic(id("Third"), "Third", "3333-3333-3333", nil, nil, nil))
	time.Sleep(400 * time.Millisecond) // until the lease has run out
	require.NoError(t, service(d).Merge(t.Context(), id("Third"), targetID))
	require.Empty(t, testkit.Documents(t, d, "open_merges", bson.D{}))
	require.Empty(t, testkit.Documents(t, d, "open_merge_steps", bson.D{}))
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
}

// TestAMergeIsNotPlannedWhileAnotherEnds has many calls arrive at all moments of a merge. One that had read the clinics before
// it, and began after it, would carry out what is done already.
func TestAMergeIsNotPlannedWhileAnotherEnds(t *testing.T) {
	t.Parallel()
	for range 5 {
		d := testkit.Database(t)
		stage(t, d)
		var calls sync.WaitGroup
		results := make([]error, 12)
		for i := range results {
			calls.Go(func() {
				time.Sleep(time.Duration(i) * 15 * time.Millisecond)
				s := service(d)
				s.LeaseTime = 3 * time.Second
				results[i] = s.Merge(t.Context(), sourceID, targetID)
			})
		}
		calls.Wait()
		require.Contains(t, results, nil)
		for _, err := range results {
			if err != nil && !errs.Is(err, errs.NotFound) {
				require.ErrorIs(t, err, merge.ErrUnderWay)
			}
		}
		requirePlans(t, d)
	}
}
