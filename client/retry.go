package client

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Pauses between attempts double from the first, and vary by up to a half, so that callers who failed together do not come
// back together.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
)

// WithRetry makes up to so many attempts of a call. Another one follows an answer of 429, 502, 503 or 504 and a broken
// connection, after a pause, or after the time that the service asks for; but not when the context ends before.
//
// An operation that must not happen twice is repeated only if the service cannot have begun with it, that is, after 429 and
// when there was no connection at all. [MayRepeat] tells which ones those
// are; with an [IdempotencyKey] they are repeated all the same. Whoever repeats a deletion may get 404 for what
// the first attempt deleted.
func WithRetry(attempts int) ClientOption {
	return around(func(next HttpRequestDoer) doerFunc {
		return func(request *http.Request) (*http.Response, error) {
			return retry(next, request, attempts)
		}
	})
}

func retry(next HttpRequestDoer, request *http.Request, attempts int) (*http.Response, error) {
	for n := 1; ; n++ {
		response, err := next.Do(request)
		if n >= attempts || !worthwhile(request, response, err) {
			return response, err
		}
		again, ok := copyOf(request)
		if !ok || !wait(request.Context(), pause(n, response)) {
			return response, err
		}
		if response != nil {
			_, _ = io.CopyN(io.Discard, response.Body, maxErrorBody) // so that the connection can be used again
			_ = response.Body.Close()
		}
		request = again
	}
}

// worthwhile reports whether another attempt may be made and could succeed.
func worthwhile(request *http.Request, response *http.Response, err error) bool {
	if request.Context().Err() != nil {
		return false
	}
	if err != nil {
		var failed *net.OpError
		unsent := errors.As(err, &failed) && failed.Op == "dial"
		return unsent || mayRepeat(request)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return mayRepeat(request)
	default:
		return false
	}
}

// copyOf returns a request with a body to be sent anew; not ok if the body can be read only once.
func copyOf(request *http.Request) (*http.Request, bool) {
	again := request.Clone(request.Context())
	if request.Body == nil || request.Body == http.NoBody {
		return again, true
	}
	if request.GetBody == nil {
		return nil, false
	}
	body, err := request.GetBody()
	again.Body = body
	return again, err == nil
}

// pause returns how long to wait after the n-th attempt.
func pause(n int, response *http.Response) time.Duration {
	if response != nil {
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second, maxPause)
		}
	}
	half := min(firstPause<<min(n-1, 10), maxPause) / 2
	return half + rand.N(half) // spreads callers, guards nothing
}

// wait reports whether the time passed before the context ended; one that will end before is not waited for.
func wait(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
