package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// sessionHeader is the one place where the service looks for a session token.
const sessionHeader = "X-Tidepool-Session-Token"

// timeout bounds one attempt of a client of [New] that was given no HTTP client. Only merges of large clinics take longer.
const timeout = time.Minute

// TokenSource returns the session token for a request. It is asked before each call, because tokens run out; it should keep
// its token as long as that is good.
type TokenSource func(context.Context) (string, error)

// StaticToken returns a source of one token.
func StaticToken(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// WithToken sends a token with every call.
func WithToken(source TokenSource) ClientOption {
	return WithRequestEditorFn(func(ctx context.Context, request *http.Request) error {
		token, err := source(ctx)
		if err != nil {
			return fmt.Errorf("session token: %w", err)
		}
		if token == "" {
			return errors.New("session token: there is none")
		}
		request.Header.Set(sessionHeader, token)
		return nil
	})
}

// New returns a client of the service at an address such as https://api.example.org. Each call sends a token, is repeated
// when that is safe (see [WithRetry]), and returns an [*APIError] if the service refuses or fails. Options come before all of
// that, so that an HTTP client given by [WithHTTPClient] is used for each attempt.
//
// Use [NewClientWithResponses] for a client that does one attempt and returns answers of any status without an error.
func New(server string, token TokenSource, options ...ClientOption) (*ClientWithResponses, error) {
	address, err := url.Parse(server)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return nil, errors.New("the address of the clinic service must be like https://api.example.org")
	}
	if token == nil {
		return nil, errors.New("the clinic service takes no call without a token")
	}
	all := append([]ClientOption{WithHTTPClient(httpClient())}, options...)
	return NewClientWithResponses(server, append(all, WithToken(token), WithRetry(3), WithErrors())...)
}

// httpClient returns a client that follows no redirect: it would take the token along, to whatever host.
func httpClient() *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// doerFunc is a function that does HTTP requests.
type doerFunc func(*http.Request) (*http.Response, error)

func (f doerFunc) Do(request *http.Request) (*http.Response, error) { return f(request) }

// around returns an option that puts something around what does the HTTP requests so far.
func around(wrap func(HttpRequestDoer) doerFunc) ClientOption {
	return func(c *Client) error {
		if c.Client == nil {
			c.Client = httpClient()
		}
		c.Client = wrap(c.Client)
		return nil
	}
}
