package idempotency_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/idempotency"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	keys := idempotency.NewKeys(d, store.NewLeases(d), zap.NewNop())
	other := idempotency.NewKeys(d, store.NewLeases(d), zap.NewNop()) // another replica
	request := idempotency.Request{Caller: "ada", Operation: "CreateSite", Key: "k", Content: []byte("East")}

	ctx, first, err := keys.Begin(t.Context(), request)
	require.NoError(t, err)
	require.False(t, first.IsRepeat)
	require.Zero(t, first.Status)
	require.Equal(t, first.Plan().ID, store.NewID(ctx))
	require.True(t, first.Plan().Time.Equal(store.EffectTime(ctx)))
	require.True(t, store.IsPlanned(ctx))
	_, _, err = other.Begin(t.Context(), request)
	require.ErrorIs(t, err, idempotency.ErrInUse)
	first.Leave(ctx)
	require.Error(t, ctx.Err(), "the turn is over")

	ctx, second, err := other.Begin(t.Context(), request)
	require.NoError(t, err)
	require.True(t, second.IsRepeat)
	require.Equal(t, first.Plan().ID, second.Plan().ID)
	second.Forget(ctx)

	ctx, third, err := keys.Begin(t.Context(), request)
	require.NoError(t, err)
	require.False(t, third.IsRepeat)
	require.NotEqual(t, first.Plan().ID, third.Plan().ID)
	third.Keep(ctx, 200)
	third.Forget(ctx) // too late

	_, done, err := other.Begin(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, 200, done.Status)
	require.Equal(t, third.Plan().ID, done.Plan().ID)
	changed := request
	changed.Content = []byte("West")
	_, _, err = other.Begin(t.Context(), changed)
	require.ErrorIs(t, err, idempotency.ErrReused)

	// Neighbouring texts do not run into each other.
	moved := request
	moved.Caller, moved.Operation = "adaCreate", "Site"
	ctx, turn, err := other.Begin(t.Context(), moved)
	require.NoError(t, err)
	require.False(t, turn.IsRepeat)
	turn.Leave(ctx)
	n, err := d.Collection(idempotency.CollectionName).CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	sets := idempotency.Indexes()
	require.Len(t, sets, 1)
	require.EqualValues(t, 24*60*60, sets[0].Indexes[0].ExpireSeconds)
	require.NoError(t, testkit.Database(t).EnsureIndexes(t.Context(), sets...))
}
