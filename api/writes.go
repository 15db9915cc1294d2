package api

import (
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// limitWrites gives callers a time to take each part of an answer. Who stops reading would otherwise hold the handler, its
// cursor and its buffer for ever. A handler itself may take as long as it needs.
func limitWrites(limit time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if limit > 0 {
				w := c.Response().Writer
				c.Response().Writer = &deadlineWriter{ResponseWriter: w, control: http.NewResponseController(w), limit: limit}
			}
			return next(c)
		}
	}
}

// deadlineWriter moves the deadline before each write. What remains in buffers at the end is written under the last one.
type deadlineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

// Unwrap lets http.ResponseController find the writer below.
func (w *deadlineWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader moves the deadline too: an answer without a body is written when the handler ends.
func (w *deadlineWriter) WriteHeader(status int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.limit)) // writers of tests have none
	w.ResponseWriter.WriteHeader(status)
}

func (w *deadlineWriter) Write(part []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.limit))
	return w.ResponseWriter.Write(part)
}

// realIP tells where a request comes from, for the log: from the peer, or from whom trusted proxies name.
func realIP(proxies []*net.IPNet) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		options = append(options, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
