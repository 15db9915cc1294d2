package platform

import (
	"context"
	"errors"
	"net/http"
)

// serverLogin exchanges this service's name and secret for a server token. The user service and the gateway offer it
// alike, but expect different names.
type serverLogin struct {
	upstream *upstream
	path     []string
	name     string
	secret   string
}

// token returns a server token that is not empty.
func (l serverLogin) token(ctx context.Context) (string, error) {
	token, err := l.exchange(ctx)
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more, which says nothing about the login
		l.upstream.options.LoginFailed(l.upstream.name)
	}
	return token, err
}

func (l serverLogin) exchange(ctx context.Context) (string, error) {
	const operation = "server login"
	ctx, cancel := l.upstream.limited(ctx)
	defer cancel()
	reply, err := l.upstream.send(ctx, request{
		operation: operation, method: http.MethodPost, path: l.path,
		header: http.Header{serverNameHeader: {l.name}, serverSecretHeader: {l.secret}},
	})
	if err != nil {
		return "", err
	}
	if reply.status != http.StatusOK {
		return "", l.upstream.unexpected(operation, reply)
	}
	token := reply.header.Get(sessionTokenHeader)
	if token == "" {
		return "", l.upstream.failure(operation, errors.New("answer has no token"))
	}
	return token, nil
}
