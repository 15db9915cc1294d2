package xealth_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/xealth"
)

func TestTurnsAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	working, end, err := xealth.TakeTurn(t.Context(), d, 0, "patient E1")
	require.NoError(t, err)
	deadline, ok := working.Deadline()
	require.True(t, ok, "the work ends before the turn does")
	require.Less(t, time.Until(deadline), 2*time.Minute)

	_, _, err = xealth.TakeTurn(t.Context(), d, 0, "patient e1")
	require.True(t, errs.Is(err, errs.Unavailable), "the case does not matter: %v", err)
	_, endOther, err := xealth.TakeTurn(t.Context(), d, 0, "patient e2")
	require.NoError(t, err)
	endOther()

	time.AfterFunc(100*time.Millisecond, end)
	_, end, err = xealth.TakeTurn(t.Context(), d, time.Minute, "patient E1")
	require.NoError(t, err, "waited for")
	end()
	require.Empty(t, testkit.Documents(t, d, "xealth_turns", bson.M{}))
}

func TestTurnOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	_, endDead, err := xealth.TakeTurn(t.Context(), d, 0, "patient e1")
	require.NoError(t, err)
	_, err = d.Collection("xealth_turns").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"until": time.Now().Add(-time.Second)}})
	require.NoError(t, err)
	_, end, err := xealth.TakeTurn(t.Context(), d, 0, "patient e1")
	require.NoError(t, err)
	endDead()
	require.Len(t, testkit.Documents(t, d, "xealth_turns", bson.M{}), 1, "it ends its own turn only")
	end()
}

func TestTurnIsNotWaitedForByNobody(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	_, end, err := xealth.TakeTurn(t.Context(), d, 0, "patient e1")
	require.NoError(t, err)
	defer end()
	gone, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = xealth.TakeTurn(gone, d, time.Minute, "patient e1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, fmt.Sprint(testkit.Documents(t, d, "xealth_turns", bson.M{})), "patient", "the name of the thing is not kept")
}
