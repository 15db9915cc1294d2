package store_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

type numbered struct {
	ID bson.ObjectID `bson:"_id"`
	N  int           `bson:"n"`
}

// TestWhoLooksSeesWhatWasThere: many callers who look at once take fewer trips, and still each sees what it wrote just before.
func TestWhoLooksSeesWhatWasThere(t *testing.T) {
	t.Parallel()
	var trips atomic.Int64
	d, err := store.Open(testkit.Store(testkit.Database(t).Name()), zap.NewNop(), store.Monitors{Commands: &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == "find" {
				trips.Add(1)
			}
		},
	}})
	require.NoError(t, err)
	require.NoError(t, d.Connect(t.Context(), false))
	defer func() { _ = d.Close(context.WithoutCancel(t.Context())) }()
	const callers, rounds = 8, 15
	lookup, written := d.Lookup("numbers"), d.Collection("numbers")
	var all sync.WaitGroup
	for range callers {
		id := bson.NewObjectID()
		_, err := written.InsertOne(t.Context(), numbered{ID: id})
		require.NoError(t, err)
		all.Go(func() {
			for n := 1; n <= rounds; n++ {
				if _, err := written.UpdateByID(t.Context(), id, bson.M{"$set": bson.M{"n": n}}); err != nil {
					t.Error(err)
				}
				for range 3 {
					var found, none numbered
					if err := lookup.Decode(t.Context(), id, &found); err != nil || found != (numbered{id, n}) {
						t.Errorf("got %v, %v, and wrote %d", found, err, n)
					}
					if err := lookup.Decode(t.Context(), bson.NewObjectID(), &none); !store.IsNotFound(err) {
						t.Errorf("got %v, %v of nothing", none, err)
					}
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d looks by %d trips", callers*rounds*6, trips.Load())
	require.Less(t, trips.Load(), int64(callers*rounds*6*3/4))
}

// TestEachGetsTheDocumentsThatItLooksFor: those that exist, in the order of the ids, whatever others look for meanwhile.
func TestEachGetsTheDocumentsThatItLooksFor(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	ids, documents := make([]bson.ObjectID, 30), make([]any, 30)
	for i := range ids {
		ids[i] = bson.NewObjectID()
		documents[i] = numbered{ID: ids[i], N: i}
	}
	_, err := d.Collection("numbers").InsertMany(t.Context(), documents)
	require.NoError(t, err)
	lookup := d.Lookup("numbers")
	var all sync.WaitGroup
	for caller := range 8 {
		all.Go(func() {
			for round := range 20 {
				wanted := []int{caller, (caller + round) % 30, 29 - caller, caller}[:round%4+1]
				looked := []bson.ObjectID{bson.NewObjectID()} // there is none
				for _, n := range wanted {
					looked = append(looked, ids[n])
				}
				found, err := lookup.Documents(t.Context(), looked...)
				numbers := []int{}
				for _, document := range found {
					numbers = append(numbers, int(document.Lookup("n").Int32()))
				}
				if err != nil || !slices.Equal(wanted, numbers) {
					t.Errorf("got %v, %v, and looked for %v", numbers, err, wanted)
				}
			}
		})
	}
	all.Wait()
	found, err := lookup.Documents(t.Context())
	require.NoError(t, err)
	require.Empty(t, found)
}

// TestATransactionLooksAlone: what it wrote is seen by nobody else.
func TestATransactionLooksAlone(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	d := testkit.Database(t)
	lookup, id := d.Lookup("numbers"), bson.NewObjectID()
	_, err := d.Collection("numbers").InsertOne(t.Context(), numbered{ID: bson.NewObjectID()}) // so that the collection exists
	require.NoError(t, err)
	err = d.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := d.Collection("numbers").InsertOne(ctx, numbered{ID: id, N: 7}); err != nil {
			return err
		}
		var found numbered
		require.NoError(t, lookup.Decode(ctx, id, &found))
		require.Equal(t, numbered{id, 7}, found)
		require.ErrorIs(t, lookup.Decode(t.Context(), id, &found), mongo.ErrNoDocuments) //nolint:contextcheck // outside of the transaction
		both, err := lookup.Documents(ctx, bson.NewObjectID(), id)
		require.NoError(t, err)
		require.Len(t, both, 1)
		return nil
	})
	require.NoError(t, err)
}
