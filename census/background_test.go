package census

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestAClinicThatCannotBeCountedIsTriedLessAndLessOften lets hours pass by a clock of its own.
func TestAClinicThatCannotBeCountedIsTriedLessAndLessOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, bad, other := newBackground(), bson.NewObjectID(), bson.NewObjectID()
		require.True(t, b.mayTry(bad))
		for pause := retryMin; pause < 2*retryMax; pause *= 2 {
			b.tried(bad, errors.New("cannot be read"))
			time.Sleep(min(pause, retryMax) - time.Millisecond)
			require.False(t, b.mayTry(bad), pause)
			require.True(t, b.mayTry(other), "others do not wait")
			time.Sleep(time.Millisecond)
			require.True(t, b.mayTry(bad), pause)
		}
		b.tried(bad, errBusy)
		time.Sleep(retryBusy)
		require.True(t, b.mayTry(bad), "a clinic that is just busy is tried soon")
		b.tried(bad, nil)
		b.tried(bad, errors.New("again"))
		time.Sleep(retryMin)
		require.True(t, b.mayTry(bad), "a success ends the pauses")
	})
}

func TestARecountThatWaitsEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		require.NoError(t, pauseFor(t.Context(), quietPause))
		require.Equal(t, quietPause, time.Since(begun))
		ended, end := context.WithCancel(t.Context())
		end()
		require.Error(t, pauseFor(ended, time.Hour))
		require.Equal(t, quietPause, time.Since(begun))
	})
}
