package auth

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

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
	cache   *expirable.LRU[[sha256.Size]byte, Caller] // keyed by hash, so that a memory dump shows no tokens
}

// NewTokens returns a resolver with an empty cache.
func NewTokens(checker TokenChecker) *Tokens {
	return &Tokens{checker: checker, cache: expirable.NewLRU[[sha256.Size]byte, Caller](cacheSize, nil, cacheTime)}
}

// Resolve returns who stands behind the token. Every error is of kind Unauthorized.
func (t *Tokens) Resolve(ctx context.Context, token string) (Caller, error) {
	key := sha256.Sum256([]byte(token))
	if caller, ok := t.cache.Get(key); ok {
		return caller, nil
	}
	session, err := t.checker.CheckToken(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{UserID: session.UserID, Server: session.IsServer}
	if caller.Server {
		t.cache.Add(key, caller)
	}
	return caller, nil
}
