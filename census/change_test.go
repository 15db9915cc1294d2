package census_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestAChangeAddsItsDifference(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}, Sites: []bson.ObjectID{s.site}, Sources: []census.Source{{Provider: "dexcom", State: "connected"}}})
	s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}, Sources: []census.Source{{Provider: "twiist", State: "pending"}}})
	require.Equal(t, census.PatientCount{Total: 2, Plan: 1, Providers: map[string]census.ProviderCount{
		"dexcom": {Total: 1, States: map[string]int{"connected": 1}}, "twiist": {Total: 1, States: map[string]int{"pending": 1}},
	}}, s.count(t))
	groups, err := s.Groups(t.Context(), []bson.ObjectID{s.id})
	require.NoError(t, err)
	require.Equal(t, census.Groups{Tags: map[bson.ObjectID]int{s.tag: 2}, Sites: map[bson.ObjectID]int{s.site: 1}}, groups[s.id])
	require.Zero(t, s.notes(t))
	s.requireExact(t)
}

func TestManyChangesAtOnceAddUp(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				s.add(t, census.Facts{Tags: []bson.ObjectID{s.tag}})
			}
		})
	}
	all.Wait()
	require.Equal(t, 40, s.count(t).Total)
	s.requireExact(t)
}

func TestAWriteThatFailsCountsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	refusal := errs.BadRequestf("refused")
	err := s.Change(t.Context(), s.id, func(context.Context) (census.Count, error) { return census.Count{}, refusal })
	require.ErrorIs(t, err, refusal)
	require.Zero(t, s.count(t).Total)
	require.Zero(t, s.notes(t))
}

func TestWhatCallersMakeUpDoesNotBecomeAKey(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	madeUp := census.Facts{Tags: []bson.ObjectID{bson.NewObjectID()}, Sites: []bson.ObjectID{bson.NewObjectID()}}
	for _, name := range []string{"", "a\x00b", "$set", "a.b", "Dexcom", strings.Repeat("a", 65)} {
		madeUp.Sources = append(madeUp.Sources, census.Source{Provider: name, State: "connected"}, census.Source{Provider: "dexcom", State: "." + name})
	}
	s.add(t, madeUp)
	require.Equal(t, census.PatientCount{Total: 1, Plan: 1}, s.count(t))
	require.NotContains(t, s.numbers(t), "tags")
	require.NotContains(t, s.numbers(t), "sites")
	s.requireExact(t)

	var many census.Facts
	for i := range 1000 {
		many.Sources = append(many.Sources, census.Source{Provider: fmt.Sprintf("p%d", i), State: "connected"}, census.Source{Provider: "dexcom", State: fmt.Sprintf("s%d", i)})
	}
	s.add(t, many)
	s.add(t, census.Facts{Sources: []census.Source{{Provider: "late", State: "connected"}}})
	require.Len(t, s.count(t).Providers, 64)
	require.Equal(t, 3, s.count(t).Plan)
	_, err := s.Recount(t.Context(), s.id)
	require.NoError(t, err)
	require.Len(t, s.count(t).Providers, 64)
	for _, provider := range s.count(t).Providers {
		require.LessOrEqual(t, len(provider.States), 64)
	}
}

func TestAClosedClinicTakesNobody(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	one := func(ctx context.Context) (census.Count, error) { return s.Of(census.Facts{}), nil } // the caller takes the patient out
	before, err := s.Reserve(t.Context(), s.id, new(5))
	require.NoError(t, err)
	require.NoError(t, s.Close(t.Context(), s.id, time.Minute))
	require.ErrorIs(t, before.Fill(t.Context(), one), census.ErrClosed)
	require.ErrorIs(t, s.Change(t.Context(), s.id, one), census.ErrClosed)
	_, err = s.Reserve(t.Context(), s.id, new(5))
	require.ErrorIs(t, err, census.ErrClosed)
	require.Zero(t, s.count(t))
	require.Zero(t, s.notes(t))
	require.ErrorIs(t, s.WaitUntilOpen(t.Context(), s.id, 10*time.Millisecond), census.ErrClosed)
	require.NoError(t, s.Open(t.Context(), s.id))
	require.NoError(t, s.WaitUntilOpen(t.Context(), s.id, 0))
	require.NoError(t, s.Change(t.Context(), s.id, one))
	require.Equal(t, 1, s.count(t).Total)

	require.NoError(t, s.Close(t.Context(), s.id, -time.Second), "an old deletion was cut off")
	require.NoError(t, s.Change(t.Context(), s.id, one))

	_, err = s.store.Collection("clinics").DeleteOne(t.Context(), bson.M{"_id": s.id})
	require.NoError(t, err)
	require.ErrorIs(t, s.Change(t.Context(), s.id, one), census.ErrNoClinic)
	require.ErrorIs(t, s.WaitUntilOpen(t.Context(), s.id, time.Minute), census.ErrNoClinic)
	_, err = s.Reserve(t.Context(), s.id, new(5))
	require.ErrorIs(t, err, census.ErrNoClinic)
}

func TestAPlaceIsGivenBackAfterEveryFailure(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	fails := map[string]func(t *testing.T, place *census.Place){
		"no attempt": func(t *testing.T, place *census.Place) { place.GiveBack(t.Context()) },
		"given back twice": func(t *testing.T, place *census.Place) {
			place.GiveBack(t.Context())
			place.GiveBack(t.Context())
		},
		"refused": func(t *testing.T, place *census.Place) {
			require.Error(t, place.Fill(t.Context(), func(context.Context) (census.Count, error) { return census.Count{}, errs.BadRequestf("no") }))
		},
		"not unique": func(t *testing.T, place *census.Place) {
			require.Error(t, place.Fill(t.Context(), func(ctx context.Context) (census.Count, error) {
				_, err := s.store.Collection("clinics").InsertOne(ctx, bson.M{"_id": s.id})
				return census.Count{}, err
			}))
		},
		"caller left": func(t *testing.T, place *census.Place) {
			ctx, leave := context.WithCancel(t.Context())
			leave()
			place.GiveBack(ctx)
		},
		"closed": func(t *testing.T, place *census.Place) {
			require.NoError(t, s.Close(t.Context(), s.id, time.Minute))
			require.ErrorIs(t, place.Fill(t.Context(), func(context.Context) (census.Count, error) { return s.Of(census.Facts{}), nil }), census.ErrClosed)
			require.NoError(t, s.Open(t.Context(), s.id))
		},
		"process died": func(t *testing.T, _ *census.Place) { require.Equal(t, 1, testkit.SweepCensus(t, s.store, "")) },
		"outcome unknown": func(t *testing.T, place *census.Place) {
			require.Error(t, place.Fill(t.Context(), func(context.Context) (census.Count, error) { return census.Count{}, errors.New("cut off") }))
			testkit.SweepCensus(t, s.store, "")
		},
	}
	for name, fail := range fails { // one after the other, in one clinic
		place, err := s.Reserve(t.Context(), s.id, new(1))
		require.NoError(t, err, name)
		require.Equal(t, 1, s.count(t).Plan, name)
		_, err = s.Reserve(t.Context(), s.id, new(1))
		require.ErrorIs(t, err, census.ErrLimitReached, name)
		fail(t, place)
		require.Zero(t, s.count(t), name)
		require.Zero(t, s.notes(t), name)
	}
}

func TestAPlaceIsFilled(t *testing.T) {
	t.Parallel()
	s := newStage(t, testkit.Database(t))
	place, err := s.Reserve(t.Context(), s.id, new(1))
	require.NoError(t, err)
	s.requireExactWith(t, 1)
	free := census.Facts{Sources: []census.Source{{Provider: "twiist", State: "connected"}}}
	require.NoError(t, place.Fill(t.Context(), func(ctx context.Context) (census.Count, error) { return s.insert(ctx, free) }))
	require.Equal(t, 1, s.count(t).Total)
	require.Zero(t, s.count(t).Plan, "this patient is free of charge")
	s.requireExact(t)
}

// requireExactWith asserts that a recount keeps places that are taken.
func (s stage) requireExactWith(t *testing.T, places int) {
	t.Helper()
	if _, err := s.Recount(t.Context(), s.id); s.store.HasTransactions() {
		require.NoError(t, err)
	} else {
		require.Error(t, err, "without transactions, somebody at work keeps a recount away")
	}
	require.Equal(t, places, s.count(t).Plan)
}
