package redox

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTurnsLetOneWorkAtATimeAndForgetThemAfterwards(t *testing.T) {
	t.Parallel()
	var all turns
	var group sync.WaitGroup
	working, most := 0, 0
	for range 50 {
		group.Go(func() {
			done, err := all.take(t.Context(), "clinic")
			if err != nil {
				return
			}
			working++ // the race detector watches
			most = max(most, working)
			working--
			done()
		})
	}
	group.Wait()
	require.Equal(t, 1, most)
	require.Empty(t, all.waiting)
}

func TestWhoGivesUpWaitingLeavesTheTurnToOthers(t *testing.T) {
	t.Parallel()
	var all turns
	done, err := all.take(t.Context(), "clinic")
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = all.take(gone, "clinic")
	require.ErrorIs(t, err, context.Canceled)
	other, err := all.take(t.Context(), "another clinic")
	require.NoError(t, err)
	other()
	done()
	require.Empty(t, all.waiting)
}
