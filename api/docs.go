package api

import (
	"embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed docs.html docs.js docs.css
var docsFiles embed.FS

// docsPolicy lets the page load nothing from other hosts.
const docsPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// registerDocs serves the interface document and a readable page of it.
func registerDocs(e *echo.Echo, document *Document) {
	e.GET("/openapi.json", func(c echo.Context) error {
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, document.json)
	})
	e.GET("/docs", docsFile("docs.html", "text/html; charset=utf-8"))
	e.GET("/docs/docs.js", docsFile("docs.js", "text/javascript; charset=utf-8"))
	e.GET("/docs/docs.css", docsFile("docs.css", "text/css; charset=utf-8"))
}

func docsFile(name, mediaType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		content, err := docsFiles.ReadFile(name)
		if err != nil {
			return err
		}
		header := c.Response().Header()
		header.Set(echo.HeaderContentSecurityPolicy, docsPolicy)
		header.Set(echo.HeaderXContentTypeOptions, "nosniff")
		return c.Blob(http.StatusOK, mediaType, content)
	}
}
