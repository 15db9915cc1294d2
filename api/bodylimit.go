package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errTooLarge   = errs.Because("body_too_large", errs.New(errs.TooLarge, "the request body is too large"))
	errOverloaded = errs.Because("overloaded", errs.Unavailablef("too much is being read at the same time, try again later"))
)

const (
	// smallBody is the size of a body that needs no room of its own.
	smallBody = 4 << 10
	// roomWait is how long a request waits for other bodies to be done with.
	roomWait = 5 * time.Second
)

// limitBody refuses a body that is too large for its operation, by its declared size before it is read, else while it is
// read. It also bounds how much of all bodies together is in memory. Whoever comes here may call the operation.
func limitBody(c config.HTTP) echo.MiddlewareFunc {
	total := max(c.MaxBodiesSize, c.MaxBodySize) // else a body of the allowed size might never find room
	room := semaphore.NewWeighted(total)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(ec echo.Context) error {
			r := ec.Request()
			if r.Body == nil || r.Body == http.NoBody {
				return next(ec)
			}
			limit := c.MaxBodySize
			if operation, ok := ec.Get(operationKey).(*operation); ok && operation.maxBody > 0 {
				limit = min(limit, operation.maxBody)
			}
			if r.ContentLength > limit {
				return errTooLarge
			}
			size := r.ContentLength
			if size < 0 {
				size = limit // nobody knows yet
			}
			if size > smallBody {
				if err := acquire(r.Context(), room, size); err != nil {
					return err
				}
				defer room.Release(size)
			}
			// The body goes onto a copy of the request: on its own one, net/http has to find the body that it made, to
			// see that a client waits for leave to send.
			limited := r.WithContext(r.Context())
			limited.Body = http.MaxBytesReader(innermost(ec.Response().Writer), r.Body, limit)
			ec.SetRequest(limited)
			return next(ec)
		}
	}
}

// innermost returns the writer of net/http, which closes the connection after a body that is too large.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = outer.Unwrap()
	}
}

func acquire(ctx context.Context, room *semaphore.Weighted, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if room.Acquire(ctx, size) != nil {
		return errOverloaded
	}
	return nil
}

// isTooLarge reports whether reading a body failed because of its size.
func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}
