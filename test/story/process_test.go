package story_test

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// TestRequestsInFlightSurviveSIGTERM: a neighbour is slow, so that 200 requests are in flight when the signal comes.
func TestRequestsInFlightSurviveSIGTERM(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT": "10s"})
	service.Standin.Fail("GET /token/u-", standin.Fault{Delay: 3 * time.Second})
	path := "/v1/clinics/" + bson.NewObjectID().Hex()

	const inFlight = 200
	statuses := make(chan int, inFlight)
	var calls sync.WaitGroup
	for range inFlight {
		caller := testkit.User(testkit.NewUserID()) // checks of one token would share a call
		calls.Go(func() { statuses <- service.Call(t, caller, http.MethodGet, path, nil).Status })
	}
	require.Eventually(t, func() bool { return service.Standin.Count("GET /token/u-") == inFlight }, 10*time.Second, 10*time.Millisecond)

	status := service.Stop(t)
	calls.Wait()
	close(statuses)
	for answered := range statuses {
		require.Equal(t, http.StatusNotFound, answered, "the answer of an undisturbed call")
	}
	require.Zero(t, status)
}

func TestStartFailsInTimeAndWithAClearLine(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	hole := silence(t)
	tests := map[string]struct {
		settings map[string]string
		line     string
	}{
		"setting missing": {map[string]string{"TIDEPOOL_SERVER_TOKEN": ""}, "TIDEPOOL_SERVER_TOKEN"},
		"no database": {map[string]string{"TIDEPOOL_STORE_ADDRESSES": "127.0.0.1:1", "TIDEPOOL_STORE_OPT_PARAMS": "", "TIDEPOOL_STORE_USERNAME": "me", "TIDEPOOL_STORE_PASSWORD": "sesame"},
			"the database at 127.0.0.1:1/" + service.Store.Name() + " does not answer"},
		"database silent":     {map[string]string{"TIDEPOOL_STORE_ADDRESSES": hole}, "the database at " + hole + "/" + service.Store.Name() + " does not answer"},
		"no user service":     {map[string]string{"TIDEPOOL_SHORELINE_CLIENT_ADDRESS": "http://127.0.0.1:1"}, "no login at http://127.0.0.1:1: user service"},
		"user service silent": {map[string]string{"TIDEPOOL_SHORELINE_CLIENT_ADDRESS": "http://me:sesame@" + hole, "TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT": "30s"}, "no login at http://" + hole + ": user service"},
		"port taken":          {map[string]string{"TIDEPOOL_CLINIC_HTTP_ADDRESS": strings.TrimPrefix(service.URL, "http://")}, "address already in use"},
		"transactions wanted": {map[string]string{"TIDEPOOL_STORE_REQUIRE_TRANSACTIONS": "true"}, "the database has no transactions"},
	}
	if service.Store.HasTransactions() {
		delete(tests, "transactions wanted")
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, testkit.Build(t))
			command.Env = service.Environment()
			for variable, value := range test.settings {
				command.Env = append(command.Env, variable+"="+value)
			}
			start := time.Now()
			output, err := command.CombinedOutput()
			require.Error(t, err)
			require.Equal(t, 1, command.ProcessState.ExitCode(), string(output))
			require.Contains(t, string(output), test.line)
			require.NotContains(t, string(output), "sesame")
			require.Less(t, time.Since(start), app.StartTimeout+time.Second)
		})
	}
}

// silence returns the address of somebody who takes connections and never says anything.
func silence(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}
