package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// request is what a handler may see of the HTTP request beyond its typed parameters.
type request struct {
	query  url.Values
	header http.Header
	http   *http.Request
}

type requestKey struct{}

// requestFrom returns the request that the context belongs to.
func requestFrom(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// attachRequest puts the request into its own context, where the handlers find it.
func attachRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestKey{}, request{query: c.QueryParams(), header: r.Header, http: r})))
		return next(c)
	}
}

const (
	causeKey     = "cause"
	operationKey = "operation"
	bodyKey      = "body"
)

func setCause(c echo.Context, err error) { c.Set(causeKey, err) }

func cause(c echo.Context) error {
	err, _ := c.Get(causeKey).(error)
	return err
}

// pathParameters returns the decoded parameters of the path.
func pathParameters(c echo.Context) map[string]string {
	names := c.ParamNames()
	if len(names) == 0 {
		return nil
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		value := c.Param(name)
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		values[name] = value
	}
	return values
}
