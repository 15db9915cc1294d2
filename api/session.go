package api

import (
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/internal/errs"
)

const sessionHeader = "x-tidepool-session-token"

var (
	// COMPAT: a missing token is a bad request, not an unauthorized one.
	errTokenMissing = errs.Because("session_token_missing", errs.New(errs.BadRequest, "session token is missing"))
	errTokenInvalid = errs.Because("session_token_invalid", errs.New(errs.Unauthorized, "session token is invalid"))
)

// openPaths need no session token, whatever the method. Those of partners ask for a credential of their own.
var openPaths = map[string]bool{
	"/live": true, "/ready": true, "/metrics": true, "/openapi.json": true, "/docs": true, "/": true, "/favicon.ico": true,
	"/v1/redox": true, "/v1/redox/verify": true,
	"/v1/xealth/preorder": true, "/v1/xealth/notification": true, "/v1/xealth/programs": true, "/v1/xealth/program": true,
}

var openPrefixes = []string{viewerPath, "/docs/"}

func isOpen(path string) bool {
	if openPaths[path] {
		return true
	}
	for _, prefix := range openPrefixes {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// requireSession finds out who is calling. It runs before anything else is said about the request, even whether its path
// exists.
func requireSession(tokens *auth.Tokens, log *zap.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if isOpen(c.Request().URL.Path) {
				return next(c)
			}
			token := strings.TrimSpace(c.Request().Header.Get(sessionHeader))
			if token == "" {
				return errTokenMissing
			}
			caller, err := tokens.Resolve(c.Request().Context(), token)
			if err != nil {
				if problem := errs.Detail(err); problem != errs.Public(err) {
					log.Error("a session token could not be checked", zap.String("cause", problem))
				}
				return errTokenInvalid
			}
			if caller.UserID == "" {
				return errTokenInvalid
			}
			c.SetRequest(c.Request().WithContext(auth.WithCaller(c.Request().Context(), caller)))
			return next(c)
		}
	}
}
