package merge_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestAMergeOfManyBatchesGoesOnWhereItStopped cuts a merge off at one of its updates of patients, and repeats it: the steps that are
// left do not begin with the first number then.
func TestAMergeOfManyBatchesGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "a transaction that was cut off keeps others from its records for a minute")
	const size = 300
	d := testkit.Database(t)
	undisturbed := newCrowd(t, d, "undisturbed", size)
	mergeOf(t, d, undisturbed)
	want := undisturbed.outcome(t, d)

	proxy, err := wire.Start(testkit.Store("").Addresses)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	for write := 1; write <= 2; write++ {
		cut := newCrowd(t, d, fmt.Sprint("cut", write), size)
		cutOff := through(t, proxy, d.Name()) // the driver looks for a server that it lost only twice a second
		proxy.Arm(wire.Fault{Write: write, Kind: wire.Down, Counts: func(c wire.Command) bool {
			return c.Name == "update" && c.Collection == patients.CollectionName
		}})
		require.Error(t, service(cutOff).Merge(t.Context(), hexID(t, cut.source), hexID(t, cut.target)))
		require.True(t, proxy.Heal())
		steps, err := d.Collection("open_merge_steps").CountDocuments(t.Context(), bson.D{})
		require.NoError(t, err)
		require.Positive(t, steps)
		if write == 2 {
			require.LessOrEqual(t, steps, int64(2*size+10-200), "the first batch is done")
		}
		mergeOf(t, d, cut)
		sweep(t, d)
		require.Equal(t, want, cut.outcome(t, d), "cut off at update %d", write)
	}
}

// TestAMergeIsPlannedWhileOthersWrite writes to patients of the source until the steps are there. A cursor then shows some of them
// twice, at least on DocumentDB, and may miss others.
func TestAMergeIsPlannedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it answers one after the other, so that a writer without pauses holds up everything")
	const size = 1600 // so many that the database answers in several parts
	d := testkit.Database(t)
	c := newCrowd(t, d, "busy", size)
	ofSource := testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "clinicId", Value: hexID(t, c.source)}})
	done := make(chan error)
	go func() { done <- writeUntilPlanned(t.Context(), d, ofSource) }()
	mergeOf(t, d, c)
	require.NoError(t, <-done)
	sweep(t, d)
	plans := c.outcome(t, d)["plans"].(map[string]int)
	require.Equal(t, map[string]int{"patient MOVE": size - size/5, "patient MERGE": size / 5},
		map[string]int{"patient MOVE": plans["patient MOVE"], "patient MERGE": plans["patient MERGE"]})
}

// writeUntilPlanned changes one of the patients after the other until a merge has written steps.
func writeUntilPlanned(ctx context.Context, d *store.Database, list []bson.M) error {
	for i := 0; ; i = (i + 101) % len(list) {
		if _, err := d.Collection(patients.CollectionName).UpdateByID(ctx, list[i]["_id"], bson.D{{Key: "$set", Value: bson.D{{Key: "email", Value: fmt.Sprint(i)}}}}); err != nil {
			return err
		}
		if n, err := d.Collection("open_merge_steps").CountDocuments(ctx, bson.D{}, options.Count().SetLimit(1)); n > 0 || err != nil {
			return err
		}
	}
}
