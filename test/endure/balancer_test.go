package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBalancerFollowsReady: who is not ready gets nothing, and when nobody is, all get something.
func TestBalancerFollowsReady(t *testing.T) {
	t.Parallel()
	const interval = 20 * time.Millisecond
	var unready [2]atomic.Bool
	var urls []string
	for n := range unready {
		replica := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ready" && unready[n].Load() {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, string(rune('A'+n)))
		}))
		t.Cleanup(replica.Close)
		urls = append(urls, replica.URL)
	}
	b, err := newBalancer(t.Context(), interval, urls...)
	require.NoError(t, err)
	t.Cleanup(b.close)
	require.NoError(t, b.await(t.Context(), 10*time.Second))
	asked := func() map[string]bool {
		seen := map[string]bool{}
		for range 10 {
			answer, err := http.Get(b.server.URL + "/anything")
			require.NoError(t, err)
			said, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			seen[string(said)] = true
		}
		return seen
	}
	require.Equal(t, map[string]bool{"A": true, "B": true}, asked())

	unready[0].Store(true)
	require.Eventually(t, func() bool { return !b.targets[0].ready.Load() }, 10*time.Second, interval)
	require.Equal(t, map[string]bool{"B": true}, asked())
	require.Error(t, b.await(t.Context(), interval))

	unready[1].Store(true)
	require.Eventually(t, func() bool { return !b.targets[1].ready.Load() }, 10*time.Second, interval)
	require.Equal(t, map[string]bool{"A": true, "B": true}, asked())

	unready[0].Store(false)
	require.Eventually(t, func() bool { return b.targets[0].ready.Load() }, 10*time.Second, interval)
	require.Equal(t, map[string]bool{"A": true}, asked())
}

// TestBalancerTriesNothingTwice: a replica that is gone is an answer of the balancer, not a second try.
func TestBalancerTriesNothingTwice(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	b, err := newBalancer(t.Context(), time.Hour, gone.URL)
	require.NoError(t, err)
	t.Cleanup(b.close)
	answer, err := http.Get(b.server.URL)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusBadGateway, answer.StatusCode)
}
