package api

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/traces"
	"github.com/tidepool-org/clinic/store"
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
func accessLog(log *zap.Logger, words map[string]bool) echo.MiddlewareFunc {
	log = log.WithOptions(zap.AddStacktrace(zap.DPanicLevel)) // the stack of this middleware says nothing
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start, whole := time.Now(), false
			// Deferred, so that there is a line also for an answer that is cut off, which leaves as a panic.
			defer func() {
				if isProbe(c.Request()) {
					return
				}
				status := c.Response().Status
				level, message := severity(status)
				if errors.Is(cause(c), clinics.ErrSettingsNotFound) { // the answer for a clinic that has none, as most have
					level, message = zapcore.InfoLevel, "Not set"
				}
				if !whole {
					level, message = zapcore.ErrorLevel, "Cut off"
				}
				if entry := log.Check(level, message); entry != nil {
					entry.Write(accessFields(c, words, status, time.Since(start))...)
				}
			}()
			if err := next(c); err != nil {
				c.Error(err)
			}
			whole = true
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

func accessFields(c echo.Context, words map[string]bool, status int, took time.Duration) []zap.Field {
	r := c.Request()
	fields := []zap.Field{
		zap.String("remote_ip", cut(c.RealIP())),
		zap.String("latency", took.String()),
		zap.String("host", cut(r.Host)),
		zap.String("request", cut(r.Method+" "+loggedURI(c, words))),
		zap.Int("status", status),
		zap.Int64("size", c.Response().Size),
		zap.String("user_agent", cut(r.UserAgent())),
		zap.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
	}
	if id := traces.ID(r.Context()); id != "" {
		fields = append(fields, zap.String("trace_id", id))
	}
	if err := cause(c); err != nil && status != http.StatusNoContent {
		fields = append(fields, zap.String("error", cut(store.Redact(err, errs.Detail(err)))), zap.String("reason", string(errs.ReasonOf(err))))
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

var loggedID = regexp.MustCompile(`^([0-9a-f]{10}|[0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// loggedPath returns the path with all masked that this service does not know as a word of its own paths, nor as an id that
// gives no access. So share codes, invite ids and tokens stand in no line, also of paths that other services own.
func loggedPath(path string, words map[string]bool) string {
	if strings.HasPrefix(path, viewerPath) || strings.HasPrefix(path, "/docs") {
		return path
	}
	segments := strings.Split(cut(path), "/")
	givesAccess := false
	for i, segment := range segments {
		if segment != "" && !words[segment] && (givesAccess || !loggedID.MatchString(segment)) {
			segments[i] = "***"
		}
		givesAccess = givesAccess || segment == "share_code" || segment == "invites"
	}
	return strings.Join(segments, "/")
}

// loggedURI returns the URI with masked path segments and query values.
func loggedURI(c echo.Context, words map[string]bool) string {
	r := c.Request()
	path := loggedPath(r.URL.EscapedPath(), words)
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
