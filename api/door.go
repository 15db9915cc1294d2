package api

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errQuery = errs.Because("query_malformed", errs.New(errs.BadRequest,
		"the query string cannot be decoded: percent signs begin escapes of UTF-8 text, and parameters are separated by &"))
	errPath = reasonParameter.Of(errs.New(errs.BadRequest, "the path cannot be decoded: percent signs begin escapes of UTF-8 text"))
)

// requireReadableAddress refuses a request whose path or query string cannot be decoded. Decoding drops such parameters
// without a word, and a filter that is dropped lets other patients through.
func requireReadableAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if !isText(u.Path) {
			return errPath
		}
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil {
			return errQuery
		}
		for name, values := range query {
			if !isText(name) || !isText(strings.Join(values, "")) {
				return errQuery
			}
		}
		return next(c)
	}
}

// isText reports whether a text is valid UTF-8 without control characters.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// knownMethods are the methods that are told apart in metrics. What else a caller makes up is one method there.
var knownMethods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true,
	http.MethodDelete: true, http.MethodOptions: true, http.MethodConnect: true, http.MethodTrace: true,
}

func methodLabel(method string) string {
	if knownMethods[method] {
		return method
	}
	return "other"
}

// maxLogged is how much of a text that the caller chose stands in a log line, in bytes.
const maxLogged = 512

// cut shortens a text for the log.
func cut(text string) string {
	if len(text) <= maxLogged {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogged], "") + "…"
}
