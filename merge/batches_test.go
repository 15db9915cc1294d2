package merge_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestAMergeOfManyBatchesGoesOnWhereItStopped cuts a merge off when its first batches are done and gone, and repeats it: the
// steps that are left do not begin with the first number then.
func TestAMergeOfManyBatchesGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const size = 300
	d := testkit.Database(t)
	undisturbed := newCrowd(t, d, "undisturbed", size)
	mergeOf(t, d, undisturbed)
	want := undisturbed.outcome(t, d)

	proxy, err := wire.Start(testkit.Store("").Addresses)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	cut := newCrowd(t, d, "cut", size)
	proxy.Arm(wire.Fault{Write: 2, Kind: wire.Down, Counts: func(c wire.Command) bool {
		return c.Name == "update" && c.Collection == patients.CollectionName
	}})
	require.Error(t, service(through(t, proxy, d.Name())).Merge(t.Context(), hexID(t, cut.source), hexID(t, cut.target)))
	require.True(t, proxy.Heal())
	first := testkit.Documents(t, d, "open_merge_steps", bson.D{{Key: "order", Value: bson.D{{Key: "$lte", Value: 200}}}})
	require.Empty(t, first, "the test cuts too early to say anything")
	require.NotEmpty(t, testkit.Documents(t, d, "open_merge_steps", bson.D{}))
	mergeOf(t, d, cut)
	sweep(t, d)
	require.Equal(t, want, cut.outcome(t, d))
}
