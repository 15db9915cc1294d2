package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/errs"
)

var errTooLarge = errs.Because("body_too_large", errs.New(errs.TooLarge, "the request body is too large"))

// limitBody makes reading a body that is too large fail.
func limitBody(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Request().Body != nil {
				c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, limit)
			}
			return next(c)
		}
	}
}

// isTooLarge reports whether reading a body failed because of its size. The validator does not always keep the cause.
func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge) || strings.Contains(err.Error(), "request body too large")
}
