package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheHookOfDeploymentsSleeps(t *testing.T) {
	t.Parallel()
	start := time.Now()
	require.Zero(t, sleep([]string{"-c", "sleep 1"}))
	require.GreaterOrEqual(t, time.Since(start), time.Second)
}

func TestTheShellDoesNothingElse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"-c"}, {"sleep 1"}, {"-c", ""}, {"-c", "sleep"}, {"-c", "sleep -1"}, {"-c", "sleep 1; id"}, {"-c", "sleep 99999999"},
		{"-c", "id 1"}, {"-c", "sleep 1", "more"},
	} {
		start := time.Now()
		require.Equal(t, 127, sleep(args), args)
		require.Less(t, time.Since(start), time.Second, args)
	}
}
