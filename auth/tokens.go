package auth

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tidepool-org/clinic/internal/platform"
)

// TokenChecker asks the user service who stands behind a session token.
type TokenChecker interface {
	CheckToken(ctx context.Context, token string) (platform.Session, error)
}

const (
	cacheSize = 10_000
	cacheTime = 5 * time.Minute
)

// Tokens resolves session tokens. Tokens of backend services are remembered for five minutes from the check; those of users
// are checked each time, so that a log-out takes effect at once. Failures are never remembered.
type Tokens struct {
	checker TokenChecker
	cache   *lru.Cache[[sha256.Size]byte, remembered] // keyed by hash, so that a memory dump shows no tokens
}

type remembered struct {
	caller Caller
	until  time.Time
}

// NewTokens returns a resolver with an empty cache.
func NewTokens(checker TokenChecker) *Tokens {
	cache, err := lru.New[[sha256.Size]byte, remembered](cacheSize)
	if err != nil {
		panic(err) // only a size that is not positive is refused
	}
	return &Tokens{checker: checker, cache: cache}
}

// Resolve returns who stands behind the token. Every error is of kind Unauthorized.
func (t *Tokens) Resolve(ctx context.Context, token string) (Caller, error) {
	key := sha256.Sum256([]byte(token))
	if found, ok := t.cache.Get(key); ok && time.Now().Before(found.until) {
		return found.caller, nil
	}
	checked := time.Now()
	session, err := t.checker.CheckToken(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{UserID: session.UserID, Server: session.IsServer}
	if caller.Server {
		t.cache.Add(key, remembered{caller: caller, until: checked.Add(cacheTime)})
	}
	return caller, nil
}
