package platform_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// forbiddenInErrors are all credentials and personal data in this package's tests, and pieces of paths that hold them.
var forbiddenInErrors = []string{
	userSecret, gatewaySecret, anEmail, "ann%40", "the-session-token", "the-restricted-token", "the-client-secret",
	xealthSecret, "order-id", aUser, "Jill", "http://",
}

func requireDiscreet(t *testing.T, err error) {
	t.Helper()
	for _, forbidden := range forbiddenInErrors {
		require.NotContains(t, errs.Detail(err), forbidden)
		require.NotContains(t, errs.Public(err), forbidden)
	}
}

func TestEveryCallSurvivesBrokenNeighbours(t *testing.T) {
	t.Parallel()
	const statusIsAll = "update user" // whatever comes with the status is not read
	tests := map[string]struct {
		fault standin.Fault
		fine  []string // operations to which this is no fault
	}{
		"status 500":     {fault: standin.Fault{Status: http.StatusInternalServerError, Body: `{"name":"Jill"}`}},
		"status 503":     {fault: standin.Fault{Status: http.StatusServiceUnavailable}},
		"status 302":     {fault: standin.Fault{Status: http.StatusFound}},
		"garbage":        {standin.Fault{Body: `<html>Jill</html>`}, []string{statusIsAll}},
		"wrong kind":     {standin.Fault{Body: `Jill`, ContentType: "text/plain"}, []string{statusIsAll}},
		"nothing":        {standin.Fault{Status: http.StatusOK}, []string{statusIsAll}},
		"other JSON":     {standin.Fault{Body: `["Jill"]`}, []string{statusIsAll, "read order"}},
		"wrong types":    {standin.Fault{Body: wrongTypes}, []string{statusIsAll, "read order"}},
		"cut off":        {fault: standin.Fault{Cut: true}},
		"cut in the end": {fault: standin.Fault{Body: strings.Repeat(`{"name":"Jill"}`, 1000), Cut: true}},
		"too large":      {fault: standin.Fault{Body: `"` + strings.Repeat("Jill", 5<<20) + `"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{})
			for _, c := range calls {
				if slices.Contains(test.fine, c.name) {
					continue
				}
				n.stand.Heal()
				n.stand.ForgetCalls()
				n.stand.Fail(c.prefix, test.fault)
				err := c.make(t.Context(), n)
				requireFailure(t, c, err)
				require.NotContains(t, errs.Detail(err), "7001", c.name)
				require.NotZero(t, n.stand.Count(c.prefix), c.name)
			}
		})
	}
}

const wrongTypes = `{"userid":7001,"fullName":7001,"id":7001,"id_token":7001,"access_token":7001}`

// requireFailure holds what every operation answers when its neighbour cannot be understood.
func requireFailure(t *testing.T, c call, err error) {
	t.Helper()
	require.Error(t, err, c.name)
	requireDiscreet(t, err)
	if c.name == "check token" {
		require.Equal(t, errs.Unauthorized, errs.KindOf(err))
		require.Equal(t, "session token is invalid", errs.Public(err))
		return
	}
	require.Equal(t, errs.Internal, errs.KindOf(err), "%s: %v", c.name, err)
	require.Equal(t, errs.BlandText, errs.Public(err), c.name)
}

func TestEveryCallEndsWithItsTimeLimit(t *testing.T) {
	t.Parallel()
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{callTimeout: 150 * time.Millisecond})
			n.stand.Fail(c.prefix, standin.Fault{Hang: true})
			started := time.Now()
			err := c.make(t.Context(), n)
			requireFailure(t, c, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Less(t, time.Since(started), 5*time.Second)
			// A shared call may end a moment after those who wait for it.
			require.Eventually(t, func() bool {
				return strings.Contains(strings.Join(n.seen.all(), "\n"), "| timeout")
			}, time.Second, time.Millisecond)
		})
	}
}

func TestEveryCallEndsWithTheInboundRequest(t *testing.T) {
	t.Parallel()
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{callTimeout: 2 * time.Second})
			n.stand.Fail(c.prefix, standin.Fault{Hang: true})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			started := time.Now()
			err := c.make(ctx, n)
			requireFailure(t, c, err)
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, time.Since(started), time.Second)
		})
	}
}

func TestEveryCallFailsWhenNobodyListens(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.server.Close()
	for _, c := range calls {
		err := c.make(t.Context(), n)
		require.Error(t, err)
		detail := strings.ReplaceAll(errs.Detail(err), n.server.Listener.Addr().String(), "")
		for _, forbidden := range forbiddenInErrors {
			require.NotContains(t, detail, forbidden, c.name)
		}
		require.Contains(t, detail, "connection refused", c.name)
	}
}
