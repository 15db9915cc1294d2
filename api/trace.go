package api

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/traces"
)

// traceRequest makes a span of each request, and takes over the context that the caller sends.
func traceRequest(tracer *traces.Tracer) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if isProbe(c.Request()) {
				return next(c)
			}
			ctx, end := tracer.Request(c.Request())
			c.SetRequest(c.Request().WithContext(ctx))
			err := next(c)
			if operation, ok := c.Get(operationKey).(*operation); ok {
				end(c.Request().Method, operation.route.Path, c.Response().Status)
			} else {
				end("", "", c.Response().Status)
			}
			return err
		}
	}
}

// traceAccess returns two steps of the pipeline: the span of the access check begins with the first and ends with the second, or
// when a step in between refuses the request.
func traceAccess(tracer *traces.Tracer) (begin, end echo.MiddlewareFunc) {
	const key = "end of access check"
	finish := func(c echo.Context) {
		if done, ok := c.Get(key).(func(context.Context) context.Context); ok {
			c.SetRequest(c.Request().WithContext(done(c.Request().Context())))
			c.Set(key, nil)
		}
	}
	begin = func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, done := tracer.Step(c.Request().Context(), "access check")
			c.SetRequest(c.Request().WithContext(ctx))
			c.Set(key, done)
			defer finish(c)
			return next(c)
		}
	}
	end = func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			finish(c)
			return next(c)
		}
	}
	return begin, end
}
