package auth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
)

// counter knows two tokens and counts how often it is asked for each.
type counter struct{ asked map[string]int }

func (c *counter) CheckToken(_ context.Context, token string) (platform.Session, error) {
	c.asked[token]++
	switch token {
	case "server":
		return platform.Session{UserID: "service", IsServer: true}, nil
	case "user":
		return platform.Session{UserID: "1234567890"}, nil
	default:
		return platform.Session{}, errs.New(errs.Unauthorized, "session token is invalid")
	}
}

func TestOnlyTokensOfServicesAreRememberedAndNotForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checker := &counter{asked: map[string]int{}}
		tokens := auth.NewTokens(checker)
		resolve := func(token string) (auth.Caller, error) { return tokens.Resolve(t.Context(), token) }

		for range 3 {
			caller, err := resolve("server")
			require.NoError(t, err)
			require.Equal(t, auth.Caller{UserID: "service", Server: true}, caller)
			_, err = resolve("user")
			require.NoError(t, err)
			_, err = resolve("unknown")
			require.True(t, errs.Is(err, errs.Unauthorized))
		}
		require.Equal(t, map[string]int{"server": 1, "user": 3, "unknown": 3}, checker.asked)

		time.Sleep(4 * time.Minute)
		_, err := resolve("server")
		require.NoError(t, err)
		require.Equal(t, 1, checker.asked["server"])
		time.Sleep(time.Minute + time.Second) // five minutes from the check, however often it was used since
		_, err = resolve("server")
		require.NoError(t, err)
		require.Equal(t, 2, checker.asked["server"])
	})
}
