package api

import (
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// compressFrom is the size from which an answer is compressed, in bytes. Below, what is saved is not worth the work.
const compressFrom = 16 << 10

// compressed are the types of answers that are compressed.
var compressed = []string{echo.MIMEApplicationJSON, mimeNDJSON, mimeCSV}

// gzipWriters are reused: each holds several hundred kilobytes. The fastest level makes pages of patients a tenth of their size;
// better levels take several times as long for little more.
var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return w
}}

// compress lets callers who accept that have large lists compressed. Pages with a report, which hold a secret, and what
// is compressed already stay as they are.
func compress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodHead || isProbe(c.Request()) {
			return next(c)
		}
		response := c.Response()
		w := &compressor{ResponseWriter: response.Writer, accepted: acceptsGzip(c.Request())}
		response.Writer = w
		err := next(c)
		w.finish() // not after a panic, which cuts the answer off
		response.Writer = w.ResponseWriter
		return err
	}
}

// compressor holds an answer back until it is large enough to be compressed, or ends.
type compressor struct {
	http.ResponseWriter

	accepted bool
	status   int // 0 until the handler says it
	held     []byte
	decided  bool
	gzip     *gzip.Writer // nil unless the answer is compressed
}

// WriteHeader holds the header back, because it depends on what follows.
func (w *compressor) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		w.ResponseWriter.WriteHeader(status)
	case w.status == 0:
		w.status = status
	}
}

func (w *compressor) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.decided {
		if w.isEligible() && len(w.held)+len(p) < compressFrom {
			w.held = append(w.held, p...)
			return len(p), nil
		}
		if err := w.decide(w.isEligible()); err != nil {
			return 0, err
		}
	}
	return w.forward(p)
}

func (w *compressor) forward(p []byte) (int, error) {
	if w.gzip != nil {
		return w.gzip.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// isEligible reports whether the answer would be compressed if it were large and the caller accepted that.
func (w *compressor) isEligible() bool {
	header := w.Header()
	return w.status == http.StatusOK && header.Get(echo.HeaderContentEncoding) == "" &&
		slices.ContainsFunc(compressed, func(kind string) bool { return strings.HasPrefix(header.Get(echo.HeaderContentType), kind) })
}

// decide sends the header and what was held back. A large answer depends on what the caller accepts, and caches must know.
func (w *compressor) decide(large bool) error {
	w.decided = true
	header := w.Header()
	if large {
		header.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
	}
	if large && w.accepted {
		header.Set(echo.HeaderContentEncoding, "gzip")
		header.Del(echo.HeaderContentLength)
		if tag := header.Get(headerETag); tag != "" {
			header.Set(headerETag, compressedTag(tag))
		}
		w.gzip, _ = gzipWriters.Get().(*gzip.Writer)
		w.gzip.Reset(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(w.status)
	if len(w.held) == 0 {
		return nil
	}
	held := w.held
	w.held = nil
	_, err := w.forward(held)
	return err
}

// FlushError sends what there is, for answers that come bit by bit.
func (w *compressor) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.decided {
		if err := w.decide(false); err != nil {
			return err
		}
	}
	if w.gzip != nil {
		if err := w.gzip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for older callers.
func (w *compressor) Flush() { _ = w.FlushError() } // if the connection is gone, the next write says so

// Unwrap lets controllers of the answer reach what is below.
func (w *compressor) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish ends the answer. If the connection is gone, there is nobody to tell.
func (w *compressor) finish() {
	if !w.decided && w.status != 0 {
		_ = w.decide(false)
	}
	if w.gzip != nil {
		_ = w.gzip.Close()
		w.gzip.Reset(nil)
		gzipWriters.Put(w.gzip)
		w.gzip = nil
	}
}
