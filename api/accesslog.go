package api

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/traces"
)

const maxRequestID = 128

// requestID makes sure that every request has an id, which the answer and the log repeat.
func requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if id == "" || len(id) > maxRequestID {
			id = rand.Text()
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// accessLog writes a line for each request, after it was answered. It is also where errors of the inner steps are written
// to the caller, so that the line knows the status.
func accessLog(log *zap.Logger) echo.MiddlewareFunc {
	log = log.WithOptions(zap.AddStacktrace(zap.DPanicLevel)) // the stack of this middleware says nothing
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			if err := next(c); err != nil {
				c.Error(err)
			}
			if isProbe(c.Request()) {
				return nil
			}
			status := c.Response().Status
			level, message := severity(status)
			if errors.Is(cause(c), clinics.ErrSettingsNotFound) { // the answer for a clinic that has none, as most have
				level, message = zapcore.InfoLevel, "Not set"
			}
			if entry := log.Check(level, message); entry != nil {
				entry.Write(accessFields(c, status, time.Since(start))...)
			}
			return nil
		}
	}
}

func isProbe(r *http.Request) bool {
	return r.URL.Path == "/ready" || r.URL.Path == "/live" || r.URL.Path == "/metrics"
}

func severity(status int) (zapcore.Level, string) {
	switch {
	case status >= http.StatusInternalServerError:
		return zapcore.ErrorLevel, "Server error"
	case status >= http.StatusBadRequest:
		return zapcore.WarnLevel, "Client error"
	case status >= http.StatusMultipleChoices:
		return zapcore.InfoLevel, "Redirection"
	default:
		return zapcore.InfoLevel, "Success"
	}
}

func accessFields(c echo.Context, status int, took time.Duration) []zap.Field {
	r := c.Request()
	fields := []zap.Field{
		zap.String("remote_ip", c.RealIP()),
		zap.String("latency", took.String()),
		zap.String("host", r.Host),
		zap.String("request", r.Method+" "+loggedURI(c)),
		zap.Int("status", status),
		zap.Int64("size", c.Response().Size),
		zap.String("user_agent", r.UserAgent()),
		zap.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
	}
	if id := traces.ID(r.Context()); id != "" {
		fields = append(fields, zap.String("trace_id", id))
	}
	if err := cause(c); err != nil && status >= http.StatusBadRequest {
		fields = append(fields, zap.String("error", errs.Detail(err)))
	}
	return fields
}

// loggedParameters are the query parameters whose values may stand in the log: they can hold neither a credential nor
// anything about a patient. Of the others only the names are logged.
var loggedParameters = map[string]bool{
	"limit": true, "offset": true, "sort": true, "sortType": true, "period": true, "tags": true, "sites": true,
	"categories": true, "role": true, "ehrEnabled": true, "createdTimeStart": true, "createdTimeEnd": true,
	"lastDataCutoff": true, "excludeNoData": true, "omitNonStandardRanges": true, "clinicId": true, "workspaceIdType": true,
}

// loggedURI returns the URI with masked query values. Share codes and invite ids, which give access, are masked in the path.
func loggedURI(c echo.Context) string {
	r := c.Request()
	path := r.URL.EscapedPath()
	for _, name := range []string{"shareCode", "inviteId"} {
		if value := c.Param(name); value != "" {
			path = strings.Replace(path, value, "***", 1)
		}
	}
	if r.URL.RawQuery == "" {
		return path
	}
	query := c.QueryParams()
	masked := make(url.Values, len(query))
	for name, values := range query {
		if !loggedParameters[name] && !strings.HasPrefix(name, "cgm.") && !strings.HasPrefix(name, "bgm.") {
			values = []string{"***"}
		}
		masked[name] = values
	}
	return path + "?" + strings.ReplaceAll(masked.Encode(), "%2A%2A%2A", "***")
}
