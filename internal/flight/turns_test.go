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

// tenfold takes a second.
type tenfold struct {
	calls atomic.Int32
	most  atomic.Int32 // handed in to one call
	fails error
}

func (f *tenfold) work(ctx context.Context, all []int) ([]int, error) {
	f.calls.Add(1)
	f.most.Store(max(f.most.Load(), int32(len(all))))
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var results []int
	for _, n := range all {
		results = append(results, 10*n)
	}
	return results, f.fails
}

func TestWhoComesMeanwhileSharesTheNextTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f tenfold
		turns := flight.NewTurns(0, f.work)
		began := time.Now()
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				if n > 0 {
					time.Sleep(time.Duration(n) * time.Millisecond)
				}
				got, err := turns.Do(t.Context(), "a", n)
				if got != 10*n || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
			})
		}
		all.Go(func() {
			_, _ = turns.Do(t.Context(), "b", 1)
			if time.Since(began) != time.Second {
				t.Error("another key has to wait for nobody")
			}
		})
		all.Wait()
		require.Equal(t, 2*time.Second, time.Since(began))
		require.EqualValues(t, 3, f.calls.Load())
		require.EqualValues(t, 19, f.most.Load())
		_, err := turns.Do(t.Context(), "a", 1)
		require.NoError(t, err)
		require.EqualValues(t, 4, f.calls.Load(), "nothing is remembered")
	})
}

func TestATurnThatHangsHoldsUpNobodyForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		turns := flight.NewTurns(50*time.Millisecond, func(_ context.Context, all []int) ([]int, error) {
			if all[0] == 0 {
				<-hangs
			}
			return all, nil
		})
		var all sync.WaitGroup
		all.Go(func() { _, _ = turns.Do(t.Context(), "", 0) })
		synctest.Wait()
		began := time.Now()
		got, err := turns.Do(t.Context(), "", 7)
		require.NoError(t, err)
		require.Equal(t, 7, got)
		require.Equal(t, 50*time.Millisecond, time.Since(began))
		close(hangs)
		all.Wait()
	})
}

func TestATurnEndsWhenNobodyWaitsForItAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f tenfold
		turns := flight.NewTurns(0, f.work)
		var all sync.WaitGroup
		all.Go(func() { _, _ = turns.Do(t.Context(), "", 1) })
		synctest.Wait()
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := turns.Do(hurried, "", 2)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		got, err := turns.Do(t.Context(), "", 3)
		require.NoError(t, err)
		require.Equal(t, 30, got)
		require.EqualValues(t, 2, f.calls.Load(), "the turn that everybody had left was not taken")
		all.Wait()

		hurried, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = turns.Do(hurried, "", 4)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait() // otherwise the goroutine of the call would still wait
	})
}

func TestAnErrorAndAPanicAreThoseOfAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := tenfold{fails: errors.New("down")}
		turns := flight.NewTurns(0, f.work)
		var all sync.WaitGroup
		for n := range 5 {
			all.Go(func() {
				if _, err := turns.Do(t.Context(), "", n); !errors.Is(err, f.fails) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		broken := flight.NewTurns(0, func(context.Context, []int) ([]int, error) { panic("broken") })
		require.PanicsWithValue(t, "broken", func() { _, _ = broken.Do(t.Context(), "", 1) })
	})
}
