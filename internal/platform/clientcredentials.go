package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenRefused says that a token endpoint answered with anything but a token.
type tokenRefused struct {
	status int
	// credentials is true when the endpoint found fault with the client, rather than with itself or the request.
	credentials bool
}

func (e *tokenRefused) Error() string { return fmt.Sprintf("no token, status %d", e.status) }

// isCallersFault reports whether another form of the same request may fare better.
func (e *tokenRefused) isCallersFault() bool {
	return e.credentials || (e.status >= 400 && e.status < 500)
}

// clientToken fetches a token with the client credentials in the given style. The error is a *tokenRefused when the
// endpoint answered and gave none. The caller limits ctx.
//
// The library makes the request and reads the answer. Its own keeping of tokens is not used: it ties a token to the
// context of the first caller, keeps one without a lifetime for ever and cannot forget one that was refused. Nor is its
// choice of style, which also repeats calls that failed for other reasons.
func (u *upstream) clientToken(
	ctx context.Context, operation string, config clientcredentials.Config, style oauth2.AuthStyle,
) (*oauth2.Token, error) {
	if u.address == nil {
		return nil, fmt.Errorf("%s service: no token endpoint configured", u.name)
	}
	config.TokenURL, config.AuthStyle = u.address.String(), style
	ctx, end := u.options.Tracer.Call(ctx, u.name, operation)
	started := time.Now()
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, u.client))
	status := "200"
	if err != nil {
		status, err = oauthFailure(ctx, err)
		err = u.failure(operation, err)
	}
	u.options.Observe(u.name, operation, status, time.Since(started))
	end(status)
	return token, err
}

// oauthFailure turns an error of the library, which quotes the whole answer, into a status label and an error that is
// fit for the log.
func oauthFailure(ctx context.Context, err error) (string, error) {
	var refused *oauth2.RetrieveError
	var urlError *url.Error
	switch {
	case errors.As(err, &refused):
		status := refused.Response.StatusCode
		return strconv.Itoa(status), &tokenRefused{status: status, credentials: blamesClient(status, refused.ErrorCode)}
	case ctx.Err() != nil:
		err = reasonToEnd(ctx)
	case errors.As(err, &urlError):
		err = withoutURL(ctx, err)
	default:
		err = errUnusableAnswer
	}
	return failureStatus(err), err
}

func blamesClient(status int, code string) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden ||
		code == "invalid_client" || code == "unauthorized_client"
}
