package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// setEnd moves the end of all leases, as if time had passed.
func setEnd(t *testing.T, d *store.Database, until time.Time) {
	t.Helper()
	_, err := d.Collection(store.LeaseCollectionName).UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: until}}}})
	require.NoError(t, err)
}

func TestALeaseHasOneHolder(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	here, there := store.NewLeases(d), store.NewLeases(d)

	_, lease, err := here.Try(t.Context(), "sync", "clinic")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"sync": 1}, here.Held())
	_, _, err = there.Try(t.Context(), "sync", "clinic")
	require.ErrorIs(t, err, store.ErrLeaseHeld)
	_, other, err := there.Try(t.Context(), "sync", "another clinic")
	require.NoError(t, err)
	other.Release()

	lease.Release()
	require.Empty(t, here.Held())
	_, lease, err = there.Try(t.Context(), "sync", "clinic")
	require.NoError(t, err)
	lease.Release()
}

func TestTheLeaseOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	working, lost, err := store.NewLeases(d).Try(t.Context(), "merge", "clinic")
	require.NoError(t, err)
	setEnd(t, d, time.Now().Add(-time.Second))

	_, taken, err := store.NewLeases(d).Try(t.Context(), "merge", "clinic")
	require.NoError(t, err)
	require.NoError(t, working.Err(), "the first holder does not know yet")
	lost.Release()
	_, _, err = store.NewLeases(d).Try(t.Context(), "merge", "clinic")
	require.ErrorIs(t, err, store.ErrLeaseHeld, "what was lost cannot be given back")
	taken.Release()
}

func TestThoseWhoWaitForALeaseTakeTurns(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	var inside, most, turns atomic.Int32
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			_, lease, err := store.NewLeases(d).Wait(t.Context(), "turn", "patient", time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			defer lease.Release()
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			turns.Add(1)
			inside.Add(-1)
		})
	}
	all.Wait()
	require.Equal(t, int32(1), most.Load())
	require.Equal(t, int32(10), turns.Load())

	_, lease, err := store.NewLeases(d).Try(t.Context(), "turn", "patient")
	require.NoError(t, err)
	defer lease.Release()
	_, _, err = store.NewLeases(d).Wait(t.Context(), "turn", "patient", 30*time.Millisecond)
	require.ErrorIs(t, err, store.ErrLeaseHeld)
}

func TestTheServerTimeIsThatOfTheDatabase(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	before := time.Now().Add(-time.Second)
	now, err := d.ServerTime(t.Context())
	require.NoError(t, err)
	require.True(t, now.After(before), "the databases of tests are on this machine")
	require.WithinDuration(t, time.Now(), now, time.Second)
}
