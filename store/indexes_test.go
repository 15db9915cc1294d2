package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func oneIndex(index store.Index) store.Indexes {
	return store.Indexes{Collection: "things", Indexes: []store.Index{index}}
}

// TestEveryDifferenceOfAnIndexIsFound makes an index, and asks for one that differs in one respect.
func TestEveryDifferenceOfAnIndexIsFound(t *testing.T) {
	t.Parallel()
	mrn := bson.D{{Key: "mrn", Value: bson.D{{Key: "$type", Value: "string"}}}, {Key: "rule", Value: bson.D{{Key: "$eq", Value: true}}}}
	other := bson.D{{Key: "mrn", Value: bson.D{{Key: "$exists", Value: true}}}}
	plain := store.Index{Name: "I", Keys: store.Ascending("a", "b")}
	with := func(change func(*store.Index)) store.Index {
		index := plain
		change(&index)
		return index
	}
	unique := with(func(i *store.Index) { i.Unique = true })
	tests := map[string]struct {
		there, wanted store.Index
		problem       string
		severity      store.Severity
	}{
		"equal":                     {plain, plain, "", store.Fine},
		"equal unique":              {unique, unique, "", store.Fine},
		"equal partial":             {with(func(i *store.Index) { i.Partial = mrn }), with(func(i *store.Index) { i.Partial = mrn }), "", store.Fine},
		"equal collation":           {with(func(i *store.Index) { i.Locale = store.IgnoreCaseAndAccents() }), with(func(i *store.Index) { i.Locale = store.IgnoreCaseAndAccents() }), "", store.Fine},
		"equal expiry":              {store.Index{Name: "I", Keys: store.Ascending("a"), ExpireSeconds: 60}, store.Index{Name: "I", Keys: store.Ascending("a"), ExpireSeconds: 60}, "", store.Fine},
		"lost unique":               {plain, unique, "is not unique", store.Wrong},
		"unique though not wanted":  {unique, plain, "is unique, and must not be", store.Wrong},
		"other keys":                {plain, with(func(i *store.Index) { i.Keys = store.Ascending("b", "a") }), "has other keys", store.Slow},
		"other keys of unique":      {unique, with(func(i *store.Index) { i.Unique, i.Keys = true, store.Ascending("a") }), "has other keys", store.Wrong},
		"other direction":           {plain, with(func(i *store.Index) { i.Keys = bson.D{{Key: "a", Value: 1}, {Key: "b", Value: -1}} }), "has other keys", store.Slow},
		"lost partial":              {plain, with(func(i *store.Index) { i.Partial = mrn }), "covers other documents", store.Slow},
		"other partial of unique":   {with(func(i *store.Index) { i.Unique, i.Partial = true, other }), with(func(i *store.Index) { i.Unique, i.Partial = true, mrn }), "covers other documents", store.Wrong},
		"lost collation":            {plain, with(func(i *store.Index) { i.Locale = store.IgnoreCaseAndAccents() }), "has another collation", store.Slow},
		"collation, but not wanted": {with(func(i *store.Index) { i.Locale = store.IgnoreCaseAndAccents() }), plain, "has another collation", store.Slow},
		"lost expiry":               {store.Index{Name: "I", Keys: store.Ascending("a")}, store.Index{Name: "I", Keys: store.Ascending("a"), ExpireSeconds: 60}, "removes documents at another age", store.Loud},
		"other expiry":              {store.Index{Name: "I", Keys: store.Ascending("a"), ExpireSeconds: 61}, store.Index{Name: "I", Keys: store.Ascending("a"), ExpireSeconds: 60}, "removes documents at another age", store.Loud},
		"under another name":        {plain, with(func(i *store.Index) { i.Name = "J" }), "is there under the name I", store.Slow},
		"missing":                   {plain, store.Index{Name: "J", Keys: store.Ascending("c")}, "missing", store.Slow},
		"missing unique":            {plain, store.Index{Name: "J", Keys: store.Ascending("c"), Unique: true}, "missing", store.Loud},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testkit.Database(t)
			if err := d.EnsureIndexes(t.Context(), oneIndex(test.there)); err != nil {
				testkit.Skip(t, "the engine cannot have this index: %v", err)
			}
			states, err := d.CheckIndexes(t.Context(), oneIndex(test.wanted))
			require.NoError(t, err)
			require.Equal(t, []store.IndexState{{Collection: "things", Name: test.wanted.Name, Problem: test.problem, Severity: test.severity}}, states)
			require.Equal(t, test.severity == store.Wrong, store.WrongIndexes(states) != nil)
		})
	}
}

// bare returns a database that has none of the indexes of the service.
func bare(t *testing.T) *store.Database {
	t.Helper()
	d := testkit.Database(t)
	require.NoError(t, d.Drop(t.Context()))
	return d
}

func nothing(store.IndexStep) {}

func TestTheMostUsefulIndexesAreBuiltFirst(t *testing.T) {
	t.Parallel()
	d := bare(t)
	var order []string
	err := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes()).Build(t.Context(), nothing, func(s store.IndexStep, err error) {
		require.NoError(t, err, s.Index.Name)
		order = append(order, fmt.Sprint(s.Index.Unique, s.Index.Old))
	})
	require.NoError(t, err)
	kinds := []string{order[0]}
	for _, kind := range order {
		if kind != kinds[len(kinds)-1] {
			kinds = append(kinds, kind)
		}
	}
	require.Equal(t, []string{"true false", "false false", "false true"}, kinds)
	states, err := d.CheckIndexes(t.Context(), app.Indexes()...)
	require.NoError(t, err)
	for _, state := range states {
		require.Empty(t, state.Problem, state.Name)
	}
}

func TestOneProcessBuildsIndexesAtATime(t *testing.T) {
	t.Parallel()
	d := bare(t)
	var building sync.Mutex
	var made sync.Map
	var builders sync.WaitGroup
	for range 3 {
		builders.Go(func() {
			for {
				err := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes()).Build(t.Context(), func(store.IndexStep) {
					require.True(t, building.TryLock(), "two at once")
				}, func(s store.IndexStep, err error) {
					building.Unlock()
					if err != nil {
						return // it is tried again
					}
					_, twice := made.LoadOrStore(s.Collection+s.Index.Name, true)
					require.False(t, twice, s.Index.Name)
				})
				if err == nil {
					return
				}
				// DocumentDB now and then refuses to make a collection; the service tries again then, too.
				if !strings.Contains(err.Error(), "Unable to create the specified collection") {
					require.ErrorIs(t, err, store.ErrIndexesAreBuilt)
				}
			}
		})
	}
	builders.Wait()
}

// TestACollectionMayHaveItsFillOfIndexes: a deployed collection has so many of its own that ours do not all fit.
func TestACollectionMayHaveItsFillOfIndexes(t *testing.T) {
	t.Parallel()
	d := bare(t)
	var models []mongo.IndexModel
	for i := range 57 {
		models = append(models, mongo.IndexModel{Keys: bson.D{{Key: fmt.Sprintf("old%d", i), Value: 1}}, Options: options.Index().SetName(fmt.Sprintf("Old%d", i))})
	}
	require.Eventually(t, func() bool { // DocumentDB may need a second request for a collection that it has just made
		_, err := d.Collection("patients").Indexes().CreateMany(t.Context(), models)
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	left := map[string]error{}
	err := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes()).Build(t.Context(), nothing, func(s store.IndexStep, err error) {
		if err != nil {
			left[s.Index.Name] = err
		}
	})
	require.ErrorContains(t, err, "drop-unused")
	for name := range left {
		require.NotContains(t, []string{"UniquePatient", "UniqueMrn", "UserId"}, name)
	}
	found, err := d.Collection("patients").Indexes().ListSpecifications(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 64)
	unknown, err := d.UnknownIndexes(t.Context(), app.Indexes()...)
	require.NoError(t, err)
	require.Len(t, unknown, 57)
	require.NoError(t, d.DropIndex(t.Context(), "patients", unknown[0].Name))
	steps, err := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes()).Plan(t.Context())
	require.NoError(t, err)
	require.Len(t, steps, len(left))
	require.False(t, steps[0].NoRoom)
	require.True(t, steps[1].NoRoom)
}
