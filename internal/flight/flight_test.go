package flight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/flight"
)

type key struct{}

func TestSimultaneousCallersShareOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var group flight.Group[int]
		var calls atomic.Int32
		work := func(context.Context) (int, error) {
			time.Sleep(time.Second)
			return int(calls.Add(1)), nil
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				n, err := group.Do(t.Context(), "a", work)
				if n != 1 || err != nil {
					t.Errorf("got %d, %v", n, err)
				}
			})
		}
		all.Go(func() { _, _ = group.Do(t.Context(), "b", func(context.Context) (int, error) { return 0, nil }) })
		all.Wait()
		n, err := group.Do(t.Context(), "a", work)
		require.NoError(t, err)
		require.Equal(t, 2, n, "nothing is remembered")
	})
}

func TestCallGoesOnWhenTheFirstCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var group flight.Group[any]
		work := func(ctx context.Context) (any, error) {
			select {
			case <-time.After(time.Minute):
				return ctx.Value(key{}), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		first, leave := context.WithTimeout(context.WithValue(t.Context(), key{}, "of the first"), time.Second)
		defer leave()
		var all sync.WaitGroup
		all.Go(func() {
			_, err := group.Do(first, "", work)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		value, err := group.Do(t.Context(), "", work)
		require.NoError(t, err)
		require.Equal(t, "of the first", value)
		all.Wait()
	})
}

func TestCallEndsWhenTheLastCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var group flight.Group[int]
		cause := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := group.Do(ctx, "", func(ctx context.Context) (int, error) {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			time.Sleep(time.Minute) // slow to end
			return 0, nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, <-cause, context.DeadlineExceeded)
		n, err := group.Do(t.Context(), "", func(context.Context) (int, error) { return 2, nil })
		require.NoError(t, err)
		require.Equal(t, 2, n, "who comes now does not get the cancelled call")
		time.Sleep(2 * time.Minute) // by the clock of the test
	})
}

func TestErrorsAndPanicsReachEveryCaller(t *testing.T) {
	t.Parallel()
	var group flight.Group[int]
	failed := errors.New("failed")
	_, err := group.Do(t.Context(), "", func(context.Context) (int, error) { return 0, failed })
	require.ErrorIs(t, err, failed)
	require.PanicsWithValue(t, "a fault", func() {
		_, _ = group.Do(t.Context(), "", func(context.Context) (int, error) { panic("a fault") })
	})
	n, err := group.Do(t.Context(), "", func(context.Context) (int, error) { return 1, nil })
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
