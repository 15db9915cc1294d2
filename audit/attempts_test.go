package audit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func insert(t *testing.T, d *store.Database, collection string, document any) {
	t.Helper()
	_, err := d.Collection(collection).InsertOne(t.Context(), document)
	require.NoError(t, err)
}

func TestRequestsThatBeginTogetherAreStoredTogether(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	trail := newTrail(t, d)
	const callers = 20
	var begun, ended sync.WaitGroup
	begun.Add(callers)
	release := make(chan struct{})
	for range callers {
		ended.Go(func() {
			err := trail.Do(t.Context(), audit.Entry{Operation: "O"}, func(context.Context) (audit.Outcome, int) {
				begun.Done()
				<-release
				return audit.Done, 200
			})
			if err != nil {
				begun.Done()
			}
		})
	}
	begun.Wait()
	require.Less(t, len(testkit.Documents(t, d, audit.AttemptsCollectionName, bson.M{})), callers/2)
	require.Empty(t, testkit.Documents(t, d, audit.CollectionName, bson.M{}), "what is not known to have ended")
	require.Equal(t, map[string]int{"attempted": callers}, outcomes(t, d))
	close(release)
	ended.Wait()
	require.Eventually(t, func() bool {
		return len(testkit.Documents(t, d, audit.AttemptsCollectionName, bson.M{})) == 0
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, map[string]int{"done": callers}, outcomes(t, d))
	require.Len(t, testkit.Documents(t, d, audit.CollectionName, bson.M{}), callers)
}

func TestWhatADeadProcessAttemptedComesToTheTrail(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	trail := newTrail(t, d)
	other := audit.NewTrail(d, config.Audit{Retention: time.Hour}, zap.NewNop())
	sweep := func() {
		require.NoError(t, other.Sweep(t.Context(), time.Now().Add(-time.Minute)))
		require.Empty(t, testkit.Documents(t, d, audit.CollectionName, bson.M{}), "it began just now")
		for range 2 { // by two replicas
			require.NoError(t, other.Sweep(t.Context(), time.Now().Add(2*time.Second)))
		}
		require.Empty(t, testkit.Documents(t, d, audit.AttemptsCollectionName, bson.M{}))
		require.Equal(t, map[string]int{"attempted": 1}, outcomes(t, d))
	}
	require.NoError(t, trail.Do(t.Context(), audit.Entry{Operation: "O"}, func(context.Context) (audit.Outcome, int) {
		sweep()
		return audit.Refused, 404
	}))
	// It was at work all the time.
	require.Eventually(t, func() bool { return outcomes(t, d)["refused"] == 1 }, 10*time.Second, 20*time.Millisecond)
	require.Len(t, testkit.Documents(t, d, audit.CollectionName, bson.M{}), 1)
}

func TestASweepDoesNotTakeAnOutcomeBack(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	id := bson.NewObjectID()
	entry := audit.Entry{ID: id, Operation: "O", Outcome: audit.Done, Status: 200}
	insert(t, d, audit.CollectionName, entry)
	entry.Outcome, entry.Status = audit.Attempted, 0
	insert(t, d, audit.AttemptsCollectionName, bson.M{"entries": []audit.Entry{entry, {ID: bson.NewObjectID(), Operation: "P", Outcome: audit.Attempted}}})
	require.Equal(t, map[string]int{"done": 1, "attempted": 1}, outcomes(t, d))
	require.NoError(t, audit.NewTrail(d, config.Audit{}, zap.NewNop()).Sweep(t.Context(), time.Now().Add(2*time.Second)))
	require.Equal(t, map[string]int{"done": 1, "attempted": 1}, outcomes(t, d))
	require.Empty(t, testkit.Documents(t, d, audit.AttemptsCollectionName, bson.M{}))
}

func TestPagesHoldWhatIsAttempted(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	clinicID := bson.NewObjectID()
	var ids []bson.ObjectID
	for i := range 6 { // newest last, in turns here and there
		entry := audit.Entry{ID: bson.NewObjectID(), ClinicID: &clinicID, Outcome: audit.Attempted}
		ids = append(ids, entry.ID)
		if i%2 == 0 {
			insert(t, d, audit.CollectionName, entry)
		} else {
			insert(t, d, audit.AttemptsCollectionName, bson.M{"entries": []audit.Entry{entry, {ID: bson.NewObjectID()}}})
		}
	}
	trail := audit.NewTrail(d, config.Audit{}, zap.NewNop())
	filter := audit.Filter{ClinicID: &clinicID}
	for _, want := range [][]bson.ObjectID{{ids[5], ids[4]}, {ids[3], ids[2]}, {ids[1], ids[0]}} {
		page, more, err := trail.Page(t.Context(), filter, 2)
		require.NoError(t, err)
		require.Equal(t, want[1] != ids[0], more)
		require.Equal(t, want, []bson.ObjectID{page[0].ID, page[1].ID})
		filter.Before = &page[1].ID
	}
}
