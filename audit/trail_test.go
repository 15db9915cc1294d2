package audit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// outcomes counts the entries by outcome, as who lists them sees them.
func outcomes(t *testing.T, d *store.Database) map[string]int {
	t.Helper()
	page, more, err := audit.NewTrail(d, config.Audit{}, zap.NewNop()).Page(t.Context(), audit.Filter{}, 100)
	require.NoError(t, err)
	require.False(t, more)
	found := map[string]int{}
	for _, entry := range page {
		found[string(entry.Outcome)]++
	}
	return found
}

// newTrail returns a trail that writes until the test ends.
func newTrail(t *testing.T, d *store.Database) *audit.Trail {
	t.Helper()
	trail := audit.NewTrail(d, config.Audit{Retention: time.Hour}, zap.NewNop())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { trail.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return trail
}

func TestAnEntryIsThereBeforeTheWorkAndGetsItsOutcome(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	trail := newTrail(t, d)
	stored := func() map[string]int { return outcomes(t, d) }
	for _, outcome := range []audit.Outcome{audit.Done, audit.Refused, audit.Failed} {
		require.NoError(t, trail.Do(t.Context(), audit.Entry{Operation: "O"}, func(context.Context) (audit.Outcome, int) {
			require.Equal(t, 1, stored()["attempted"])
			return outcome, 1
		}))
		require.Eventually(t, func() bool { return outcomes(t, d)[string(outcome)] == 1 && outcomes(t, d)["attempted"] == 0 }, 5*time.Second, 10*time.Millisecond)
	}
	require.Panics(t, func() {
		_ = trail.Do(t.Context(), audit.Entry{}, func(context.Context) (audit.Outcome, int) { panic("x") })
	})
	require.Eventually(t, func() bool { return outcomes(t, d)["failed"] == 2 }, 5*time.Second, 10*time.Millisecond)
}

func TestATransactionTakesItsOutcomeWithIt(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	d := testkit.Database(t)
	trail := newTrail(t, d)
	failure := errors.New("no")
	stored := func() map[string]int { return outcomes(t, d) }
	require.NoError(t, trail.Do(t.Context(), audit.Entry{}, func(ctx context.Context) (audit.Outcome, int) {
		require.ErrorIs(t, d.InTx(ctx, func(context.Context) error { return failure }), failure)
		require.Equal(t, map[string]int{"attempted": 1}, stored())
		require.NoError(t, d.InTx(ctx, func(ctx context.Context) error {
			_, err := d.Collection("other").InsertOne(ctx, bson.M{})
			return err
		}))
		require.Equal(t, map[string]int{"changed": 1}, stored())
		return audit.Done, 200
	}))
}

func TestWithoutAnEntryNothingIsBegun(t *testing.T) {
	t.Parallel()
	trail := audit.NewTrail(testkit.Database(t), config.Audit{Retention: time.Hour}, zap.NewNop()) // nothing writes
	err := trail.Do(t.Context(), audit.Entry{}, func(context.Context) (audit.Outcome, int) {
		require.Fail(t, "the work must not be begun")
		return audit.Done, 200
	})
	require.Equal(t, errs.Unavailable, errs.KindOf(err))
}

func TestWhatIsLeftIsWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	trail := audit.NewTrail(d, config.Audit{Retention: time.Hour}, zap.NewNop())
	for range 3 {
		trail.Read(audit.Entry{Operation: "GetPatient"}, audit.Done, 200)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	trail.Run(ended)
	require.Equal(t, map[string]int{"done": 3}, outcomes(t, d))
}
