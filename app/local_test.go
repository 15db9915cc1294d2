package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func TestTheLocalAddressIsClosedByDefault(t *testing.T) {
	t.Parallel()
	var local *app.Local
	testkit.Start(t, testkit.Populate(&local))
	require.Empty(t, local.Address())
}

func TestOperatorsSeeWhatTheProcessDoes(t *testing.T) {
	t.Parallel()
	var local *app.Local
	var leases *store.Leases
	var lines bytes.Buffer
	log, err := observe.NewLog(zapcore.InfoLevel, &lines)
	require.NoError(t, err)
	service := testkit.Start(t, testkit.Populate(&local, &leases), testkit.With(fx.Supply(log)),
		testkit.Configure(func(c *config.Config) { c.Local.Address = "127.0.0.1:0" }))
	base := "http://" + local.Address()

	_, lease, err := leases.Try(context.Background(), "errand", "a patient")
	require.NoError(t, err)
	defer lease.Release()
	var status int
	var body string
	var state observe.State
	require.Eventually(t, func() bool { // the background begins beside the first request
		status, body = get(t, base+"/state", nil)
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(body), &state))
		return state.Background["notes of the census"] != observe.WorkState{}
	}, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, map[string]int{"errand": 1}, state.Leases)
	require.Equal(t, "info", state.LogLevel)
	require.NotContains(t, body, "a patient")

	status, body = get(t, base+"/debug/pprof/goroutine?debug=1", nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "goroutine profile")
	status, _ = get(t, base+"/debug/pprof/cmdline", nil)
	require.Equal(t, http.StatusNotFound, status)

	for path := range map[string]bool{"/state": true, "/debug/pprof/": true, "/log-level": true} {
		status, _ = get(t, service.URL+path, http.Header{"X-Tidepool-Session-Token": {"server"}})
		require.Equal(t, http.StatusNotFound, status, "%s is not for callers of the service", path)
	}
}

func TestTheLogLevelChangesWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	var local *app.Local
	var lines bytes.Buffer
	log, err := observe.NewLog(zapcore.InfoLevel, &lines)
	require.NoError(t, err)
	testkit.Start(t, testkit.Populate(&local), testkit.With(fx.Supply(log)),
		testkit.Configure(func(c *config.Config) { c.Local.Address = "127.0.0.1:0" }))
	put := func(body string) int {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPut, "http://"+local.Address()+"/log-level", strings.NewReader(body))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	log.Logger.Debug("before")
	require.Equal(t, http.StatusOK, put(`{"level":"debug"}`))
	log.Logger.Debug("between")
	require.Equal(t, http.StatusBadRequest, put(`{"level":"loud"}`))
	require.Equal(t, http.StatusOK, put(`{"level":"error"}`))
	log.Logger.Info("after")
	require.NotContains(t, lines.String(), `"before"`)
	require.Contains(t, lines.String(), `"between"`)
	require.NotContains(t, lines.String(), `"after"`)
	require.Contains(t, lines.String(), "the log level was changed to debug")
	require.Contains(t, lines.String(), "the log level was changed to error")
}
