package platform_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const (
	orderPath = "GET /partner/read/order/"
	tokenPath = "POST /oauth2/token"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddOrder("a b/c", "d&e?", map[string]any{"orderInfo": map[string]any{"orderId": "d&e?"}})
	order, err := n.xealth.Order(t.Context(), "a b/c", "d&e?")
	require.NoError(t, err)
	require.JSONEq(t, `{"orderInfo":{"orderId":"d&e?"}}`, string(order))

	token := n.only(t, tokenPath)
	require.Equal(t, "grant_type=client_credentials", token.Body)
	require.Equal(t, "application/x-www-form-urlencoded", token.Header.Get("Content-Type"))
	id, secret, _ := (&http.Request{Header: token.Header}).BasicAuth()
	require.Equal(t, "xealth%2Fid", id)
	require.Equal(t, "xealth%2Bsecret", secret)

	read := n.only(t, orderPath)
	require.Equal(t, "GET /partner/read/order/a%20b%2Fc/d&e%3F", read.String())
	require.Regexp(t, "^Bearer [0-9a-f]{32}$", read.Header.Get("Authorization"))
	require.Empty(t, read.Body)
}

func TestOrdersShareAnAccessToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddOrder("d", "o", map[string]any{})
	var all sync.WaitGroup
	failures := make([]error, 10)
	for i := range failures {
		all.Go(func() { _, failures[i] = n.xealth.Order(t.Context(), "d", "o") })
	}
	all.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, 1, n.stand.Count(tokenPath))
	require.Equal(t, 10, n.stand.Count(orderPath))
}

func TestAccessTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	for answer, fetched := range map[string]int{
		`{"access_token":"a","expires_in":29}`:   3,
		`{"access_token":"a","expires_in":40}`:   1,
		`{"access_token":"a","expires_in":"60"}`: 1,
		`{"access_token":"a"}`:                   1,
	} {
		n := start(t, setting{})
		n.stand.Fail(tokenPath, standin.Fault{Body: answer})
		n.stand.Fail(orderPath, standin.Fault{Body: `{}`})
		for range 3 {
			_, err := n.xealth.Order(t.Context(), "d", "o")
			require.NoError(t, err)
		}
		require.Equal(t, fetched, n.stand.Count(tokenPath), answer)
	}
}

func TestAccessTokenEndsByTheClock(t *testing.T) {
	t.Parallel()
	for answer, lifetime := range map[string]time.Duration{
		`{"access_token":"a","expires_in":3600}`: time.Hour,
		`{"access_token":"a"}`:                   2 * time.Minute,
	} {
		now := time.Now()
		n := start(t, setting{now: func() time.Time { return now }})
		n.stand.Fail(tokenPath, standin.Fault{Body: answer})
		n.stand.Fail(orderPath, standin.Fault{Body: `{}`})
		for passed, fetched := range []int{1, 1, 2} {
			_, err := n.xealth.Order(t.Context(), "d", "o")
			require.NoError(t, err)
			require.Equal(t, fetched, n.stand.Count(tokenPath), answer)
			now = now.Add([]time.Duration{lifetime - 31*time.Second, 2 * time.Second, 0}[passed])
		}
	}
}

func TestOrderWithRefusedAccessToken(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddOrder("d", "o", map[string]any{})
	_, err := n.xealth.Order(t.Context(), "d", "o")
	require.NoError(t, err)
	n.stand.RevokeAccessTokens()
	_, err = n.xealth.Order(t.Context(), "d", "o")
	require.NoError(t, err)
	require.Equal(t, 2, n.stand.Count(tokenPath))
	require.Equal(t, 3, n.stand.Count(orderPath))

	n.stand.Fail(orderPath, standin.Fault{Status: http.StatusUnauthorized})
	_, err = n.xealth.Order(t.Context(), "d", "o")
	require.EqualError(t, err, "xealth service: read order: unexpected status 401")
	require.Equal(t, 3, n.stand.Count(tokenPath), "tried once")
}

func TestOrderIsAskedForTwice(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault standin.Fault
		calls int
	}{
		"gateway timeout": {standin.Fault{Status: http.StatusGatewayTimeout}, 2},
		"lost connection": {standin.Fault{Body: `{"half":"of it"}`, Cut: true}, 2},
		"500":             {standin.Fault{Status: http.StatusInternalServerError}, 1},
		"400":             {standin.Fault{Status: http.StatusBadRequest}, 1},
		"404":             {standin.Fault{Status: http.StatusNotFound}, 1},
		"not JSON":        {standin.Fault{Body: "{}", ContentType: "text/html"}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{})
			n.stand.Fail(orderPath, test.fault)
			_, err := n.xealth.Order(t.Context(), "d", "o")
			require.Error(t, err)
			require.Equal(t, errs.BlandText, errs.Public(err))
			require.Equal(t, test.calls, n.stand.Count(orderPath))

			n.stand.Heal()
			n.stand.AddOrder("d", "o", map[string]any{})
			test.fault.Times = 1
			n.stand.Fail(orderPath, test.fault)
			_, err = n.xealth.Order(t.Context(), "d", "o")
			require.Equal(t, test.calls == 2, err == nil, "a second try helps where there is one")
		})
	}
}

func TestOrderThatIsNotShown(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.Fail(orderPath, standin.Fault{Status: http.StatusBadRequest})
	_, err := n.xealth.Order(t.Context(), "d", "o")
	require.ErrorIs(t, err, platform.ErrOrderRefused)
	require.Equal(t, errs.BlandText, errs.Public(err))
	n.stand.Fail(orderPath, standin.Fault{Status: http.StatusNotFound})
	_, err = n.xealth.Order(t.Context(), "d", "o")
	require.NotErrorIs(t, err, platform.ErrOrderRefused)
}
