package api

import (
	"embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed docs.html docs.js docs-schema.js docs-try.js docs.css
var docsFiles embed.FS

// docsPolicy lets the page load nothing from other hosts.
const docsPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// docsFile serves a file of the readable page of the interface document.
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
