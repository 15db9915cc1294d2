package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// registerPublic serves what needs no token and is no operation. What GET serves, HEAD tells about.
func registerPublic(e *echo.Echo, health *Health, metrics *Metrics, document *Document) {
	for path, handler := range map[string]echo.HandlerFunc{
		"/live": health.live, "/ready": health.ready, "/metrics": metrics.handler(),
		"/": toDocs, "/docs/": toDocs, "/favicon.ico": noIcon,
		"/openapi.json":        jsonFile(document.plainJSON),
		"/docs/openapi.json":   jsonFile(document.json),
		"/docs":                docsFile("docs.html", "text/html; charset=utf-8"),
		"/docs/docs.js":        docsFile("docs.js", "text/javascript; charset=utf-8"),
		"/docs/docs-schema.js": docsFile("docs-schema.js", "text/javascript; charset=utf-8"),
		"/docs/docs-try.js":    docsFile("docs-try.js", "text/javascript; charset=utf-8"),
		"/docs/docs.css":       docsFile("docs.css", "text/css; charset=utf-8"),
	} {
		e.GET(path, handler)
		e.HEAD(path, handler) // net/http leaves the body out
	}
}

func jsonFile(content []byte) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, content) }
}

// toDocs leads people who open the service in a browser to something readable.
func toDocs(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") }

// noIcon tells browsers, which ask by themselves, that there is none.
func noIcon(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=86400")
	return c.NoContent(http.StatusNoContent)
}
