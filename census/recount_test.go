package census_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestANoteThatWasLeftLeadsToARecount(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}})
	_, err := s.insert(t.Context(), census.Facts{Tags: []bson.ObjectID{s.tag}}) // and the process dies
	require.NoError(t, err)
	s.leaveNotes(t, 1, 0, time.Now())
	mended, err := s.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, mended, "this may still be under way")
	require.Equal(t, 1, testkit.SweepCensus(t, s.store, ""))
	require.Equal(t, 2, s.count(t).Total)
	require.Zero(t, s.notes(t))
	s.requireExact(t)
}

func TestAClinicThatFailsDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	bad, good := newStage(t, d), newStage(t, d)
	bad.setCount(t, "not a number")
	// The number of the bad clinic cannot be written, because it would equal that of the good one.
	_, err := d.Collection("clinics").Indexes().CreateOne(t.Context(), mongo.IndexModel{
		Keys: bson.D{{Key: "patientCount.demo", Value: 1}}, Options: options.Index().SetUnique(true).SetName("Refuse"),
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Collection("clinics").Indexes().DropOne(t.Context(), "Refuse")) }()
	bad.leaveNotes(t, 1500, 0, time.Unix(0, 0))
	_, err = good.insert(t.Context(), census.Facts{})
	require.NoError(t, err)
	good.leaveNotes(t, 1, 0, time.Unix(1, 0))
	mended, err := testkit.Census(d, "").Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, mended)
	require.Equal(t, 1, good.count(t).Total)
	require.Zero(t, good.notes(t))
	require.GreaterOrEqual(t, bad.notes(t), 1500, "it is tried again")
}

func TestARecountIsExactWhileWritersGoOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	for range 5 { // a writer that knows nothing of the census
		_, err := s.insert(t.Context(), census.Facts{Tags: []bson.ObjectID{s.tag}})
		require.NoError(t, err)
	}
	writing, stopWriting := context.WithCancel(t.Context())
	counting, stopCounting := context.WithCancel(t.Context())
	var writers, counters sync.WaitGroup
	stop := func() {
		stopCounting()
		counters.Wait()
		stopWriting()
		writers.Wait()
	}
	defer stop()
	for range 3 {
		writers.Go(func() {
			for writing.Err() == nil {
				s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}}) //nolint:contextcheck // the last write is completed
			}
		})
		counters.Go(func() {
			for counting.Err() == nil {
				_ = testkit.Census(s.store, "").Refresh(t.Context(), s.id) //nolint:contextcheck // the last one is completed, unless another comes first
			}
		})
	}
	time.Sleep(3 * time.Second)
	stopCounting()
	counters.Wait()
	if s.store.HasTransactions() {
		_, err := s.Recount(t.Context(), s.id)
		require.NoError(t, err, "a recount does not wait for writers")
	}
	stop()
	testkit.SweepCensus(t, s.store, "") // without transactions, a recount waits for a quiet moment
	patients := len(testkit.Documents(t, s.store, "patients", bson.M{"clinicId": s.id}))
	require.Greater(t, patients, 5)
	require.Equal(t, patients, s.count(t).Total)
	s.requireExact(t)
}

func TestTwoRecountsAddADriftOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	for round := range 10 {
		_, err := s.insert(t.Context(), census.Facts{Tags: []bson.ObjectID{s.tag}})
		require.NoError(t, err)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _, _ = testkit.Census(s.store, "").Recount(t.Context(), s.id) }) // some are refused
		}
		all.Wait()
		testkit.SweepCensus(t, s.store, "")
		s.requireExact(t)
		require.Equal(t, round+1, s.count(t).Total)
	}
}

func TestReadingNeverWritesTheClinic(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}})
	_, err := s.store.Collection(census.CollectionName).UpdateByID(t.Context(), s.id, bson.M{"$set": bson.M{"countedTime": time.Unix(0, 0)}})
	require.NoError(t, err)
	before := s.clinic(t)
	_, err = s.Groups(t.Context(), []bson.ObjectID{s.id})
	require.NoError(t, err)
	s.count(t)
	background, stop := context.WithCancel(t.Context())
	defer stop()
	go s.Run(background)
	require.Eventually(t, func() bool { return s.numbers(t)["countedTime"].(bson.DateTime).Time().Year() > 1970 }, 10*time.Second, 20*time.Millisecond,
		"old numbers are counted in the background")
	require.NoError(t, s.Refresh(t.Context(), s.id))
	require.Equal(t, before, s.clinic(t), "a count that finds nothing writes nothing, not even updatedTime")
}

func TestNumbersInAnOlderFormAreCountedAnew(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]any{"missing": nil, "older form": bson.M{"patientCount": 7}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, testkit.Database(t))
			s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}})
			s.setCount(t, old)
			require.Equal(t, census.PatientCount{Total: 1, Plan: 1}, s.count(t))
			s.requireExact(t)
			_, err := s.Reserve(t.Context(), s.id, new(1))
			require.ErrorIs(t, err, census.ErrLimitReached)
		})
	}
}

func TestWorkOfManyStepsEndsWithARecount(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	require.NoError(t, s.RecountAfter(t.Context(), func(ctx context.Context) error {
		_, err := s.insert(ctx, census.Facts{})
		require.Equal(t, 1, s.notes(t)) //nolint:contextcheck // the test looks, not the work
		return err
	}, s.id))
	require.Equal(t, 1, s.count(t).Total)
	require.Zero(t, s.notes(t))
}

func TestLongWorkIsNotTakenForDead(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	require.NoError(t, s.KeepFresh(t.Context(), s.id, 10*time.Millisecond, func(context.Context) error {
		testkit.SweepCensus(t, s.store, "")                                                                //nolint:contextcheck // as if the work took long already
		require.Eventually(t, func() bool { return s.notes(t) == 1 }, 10*time.Second, 10*time.Millisecond) //nolint:contextcheck // the test looks
		mended, err := s.Sweep(t.Context())                                                                //nolint:contextcheck // the test looks
		require.NoError(t, err)
		require.Zero(t, mended, "the note is new")
		return nil
	}))
}
