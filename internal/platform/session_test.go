package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// logins is a login that can be told to fail and counts what it was asked for, with the times since the start.
type logins struct {
	mu      sync.Mutex
	started time.Time
	at      []time.Duration
	broken  atomic.Bool
}

func (l *logins) login(context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = append(l.at, time.Since(l.started))
	if l.broken.Load() {
		return "", errors.New("refused")
	}
	return fmt.Sprintf("token %d", len(l.at)), nil
}

func (l *logins) times() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.at)
}

func newTestSession() (*serverSession, *logins, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	source := &logins{started: time.Now()}
	return &serverSession{login: source.login, now: time.Now, log: zap.New(core), level: zapcore.WarnLevel}, source, logs
}

func TestSessionIsRefreshedAtItsInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, source, logs := newTestSession()
		session.keepFresh(0, time.Hour)
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		token, err := session.current(t.Context())
		require.NoError(t, err)
		require.Equal(t, "token 3", token)
		session.end()
		require.Equal(t, []time.Duration{0, time.Hour, 2 * time.Hour}, source.times())
		require.Zero(t, logs.Len())
	})
}

func TestFailedRefreshIsRetriedWithGrowingDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, source, logs := newTestSession()
		session.keepFresh(0, time.Hour)
		time.Sleep(time.Minute)
		source.broken.Store(true)
		time.Sleep(time.Hour + 2*time.Minute)
		token, err := session.current(t.Context())
		require.NoError(t, err)
		require.Equal(t, "token 1", token, "the last good one stays in use")
		var delays []time.Duration
		times := source.times()
		for i := 2; i < len(times); i++ {
			delays = append(delays, times[i]-times[i-1])
		}
		s := time.Second
		require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s}, delays)
		require.Equal(t, len(delays)+1, logs.Len())
		require.Equal(t, zapcore.WarnLevel, logs.All()[0].Level)

		source.broken.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		times = source.times()
		last := times[len(times)-1]
		time.Sleep(time.Hour)
		synctest.Wait()
		session.end()
		require.Equal(t, last+time.Hour, source.times()[len(times)], "once it works, the interval counts again")
	})
}

func TestEndStopsAPendingLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, _, logs := newTestSession()
		session.login = func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		session.keepFresh(0, time.Hour)
		synctest.Wait()
		session.end()
		require.Zero(t, logs.Len(), "stopping is no failure")
	})
	session, _, _ := newTestSession()
	session.end()
}

func TestWithoutTokenCallsLogInThemselves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, source, logs := newTestSession()
		source.broken.Store(true)
		for range 10 {
			_, err := session.current(t.Context())
			require.ErrorContains(t, err, "refused")
		}
		require.Len(t, source.times(), 1, "a failed login is not repeated by the next call at once")
		require.Zero(t, logs.Len(), "the call reports it")

		time.Sleep(failurePause)
		source.broken.Store(false)
		token, err := session.current(t.Context())
		require.NoError(t, err)
		require.Equal(t, "token 2", token)
	})
}

func TestRefusedTokenIsReplacedAtMostOncePerPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, source, _ := newTestSession()
		first, err := session.current(t.Context())
		require.NoError(t, err)

		second, err := session.replace(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, "token 2", second)
		again, err := session.replace(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, second, again, "somebody replaced it already")
		same, err := session.replace(t.Context(), second)
		require.NoError(t, err)
		require.Equal(t, second, same, "too early for another login")
		require.Len(t, source.times(), 2)

		time.Sleep(recoveryPause)
		third, err := session.replace(t.Context(), second)
		require.NoError(t, err)
		require.Equal(t, "token 3", third)
	})
}

func TestLoginIsGivenUpWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session, source, _ := newTestSession()
		var ended error
		session.login = func(ctx context.Context) (string, error) {
			<-ctx.Done()
			ended = ctx.Err()
			return "", ended
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := session.current(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.ErrorIs(t, ended, context.Canceled)

		session.login = source.login
		token, err := session.current(t.Context())
		require.NoError(t, err, "a login that was given up has not failed")
		require.Equal(t, "token 1", token)
	})
}
