package story_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestServiceDrainsByItself: after SIGTERM, load balancers that have not noticed yet still get answers.
func TestServiceDrainsByItself(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	service := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY": delay.String()})
	status := func(path string) int { return service.Call(t, testkit.Service, http.MethodGet, path, nil).Status }
	require.Equal(t, http.StatusOK, status("/ready"))

	ended := make(chan int, 1)
	start := time.Now()
	go func() { ended <- service.Stop(t) }()
	require.Eventually(t, func() bool { return status("/ready") == http.StatusBadRequest }, delay/2, 10*time.Millisecond)
	for time.Since(start) < delay-500*time.Millisecond {
		require.Equal(t, http.StatusOK, status("/v1/clinics"))
		time.Sleep(50 * time.Millisecond)
	}
	require.Zero(t, <-ended)
	require.GreaterOrEqual(t, time.Since(start), delay)
}
