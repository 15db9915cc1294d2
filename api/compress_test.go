package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// serve answers a request through the compressor, on a real connection, and returns the answer as it came.
func serve(t *testing.T, method, accept string, handler echo.HandlerFunc) (*http.Response, []byte) {
	t.Helper()
	e := echo.New()
	e.Use(compress)
	e.Any("/", handler)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Encoding", accept) // set by hand, so that the client leaves the answer alone
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, body
}

func unzip(t *testing.T, body []byte) string {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(body))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(plain)
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	large := `"` + strings.Repeat("glucose ", 10_000) + `"`
	answer, body := serve(t, http.MethodGet, "gzip, deflate, br", func(c echo.Context) error {
		c.Response().Header().Set("ETag", `"tag"`)
		c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(large)))
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(large))
	})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", answer.Header.Get("Vary"))
	require.Equal(t, `W/"tag"`, answer.Header.Get("ETag"))
	require.Less(t, len(body), len(large)/10)
	require.Equal(t, large, unzip(t, body))
}

func TestWhatIsNotCompressed(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 3*compressFrom)
	for _, test := range []struct {
		name, accept, media, encoding, content, vary string
		method                                       string
		status                                       int
	}{
		{name: "not accepted", media: "application/json", content: large, vary: "Accept-Encoding"},
		{name: "refused", accept: "gzip;q=0", media: "application/json", content: large, vary: "Accept-Encoding"},
		{name: "small", accept: "gzip", media: "application/json", content: "{}"},
		{name: "just too small", accept: "gzip", media: "application/json", content: large[:compressFrom-1]},
		{name: "a report page", accept: "gzip", media: "text/html; charset=utf-8", content: large},
		{name: "a workbook", accept: "gzip", media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", content: large},
		{name: "compressed already", accept: "gzip", media: "application/json", encoding: "br", content: large},
		{name: "an error", accept: "gzip", media: "application/json", content: large, status: http.StatusBadRequest},
		{name: "no body", accept: "gzip", media: "application/json", content: "", status: http.StatusNoContent},
		{name: "head", accept: "gzip", media: "application/json", content: "", method: http.MethodHead},
	} {
		status, method := test.status, test.method
		if status == 0 {
			status = http.StatusOK
		}
		if method == "" {
			method = http.MethodGet
		}
		answer, body := serve(t, method, test.accept, func(c echo.Context) error {
			header := c.Response().Header()
			header.Set(echo.HeaderContentType, test.media)
			header.Set("ETag", `"tag"`)
			if test.encoding != "" {
				header.Set(echo.HeaderContentEncoding, test.encoding)
			}
			c.Response().WriteHeader(status)
			_, err := c.Response().Write([]byte(test.content))
			if errors.Is(err, http.ErrBodyNotAllowed) {
				return nil
			}
			return err
		})
		require.Equal(t, status, answer.StatusCode, test.name)
		require.Equal(t, test.encoding, answer.Header.Get("Content-Encoding"), test.name)
		require.Equal(t, test.vary, answer.Header.Get("Vary"), test.name)
		require.Equal(t, `"tag"`, answer.Header.Get("ETag"), test.name)
		require.Equal(t, test.content, string(body), test.name)
	}
}

// TestStreamsAreNotHeldBack writes bit by bit, and goes on only when the reader has each bit.
func TestStreamsAreNotHeldBack(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	e := echo.New()
	e.Use(compress)
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		for i := range 3 {
			if _, err := fmt.Fprintln(c.Response(), i); err != nil {
				return err
			}
			c.Response().Flush()
			<-read
		}
		return nil
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	for i := range 3 {
		var line [2]byte
		_, err := io.ReadFull(answer.Body, line[:])
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintln(i), string(line[:]))
		read <- struct{}{}
	}
}

// TestALargeStreamIsFlushedCompressed flushes in the middle of an answer that is compressed.
func TestALargeStreamIsFlushedCompressed(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("y", compressFrom)
	answer, body := serve(t, http.MethodGet, "gzip", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		for range 3 {
			if _, err := c.Response().Write([]byte(part)); err != nil {
				return err
			}
			c.Response().Flush()
		}
		return nil
	})
	require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"))
	require.Equal(t, part+part+part, unzip(t, body))
}

// BenchmarkCompress says what a page of a thousand patients costs to compress, and how much smaller it gets, against the work of
// encoding it.
func BenchmarkCompress(b *testing.B) {
	type patient struct {
		ID, FullName, MRN string
		Periods           map[string]map[string]float64
	}
	page := make([]patient, 250)
	for i := range page {
		page[i] = patient{ID: fmt.Sprintf("%010x", i*7919), FullName: fmt.Sprintf("Patient %d", i), MRN: strconv.Itoa(i * 31), Periods: map[string]map[string]float64{}}
		for _, period := range []string{"1d", "7d", "14d", "30d"} {
			values := map[string]float64{}
			for j := range 35 {
				values[fmt.Sprintf("timeInSomeRange%dPercent", j)] = float64(i*j%997) / 997
			}
			page[i].Periods[period] = values
		}
	}
	for _, accept := range []string{"identity", "gzip"} {
		b.Run(accept, func(b *testing.B) {
			e := echo.New()
			handler := compress(func(c echo.Context) error {
				c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
				return json.NewEncoder(c.Response()).Encode(page)
			})
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
				request.Header.Set("Accept-Encoding", accept)
				recorder := httptest.NewRecorder()
				if err := handler(e.NewContext(request, recorder)); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(recorder.Body.Len()), "bytes/answer")
			}
		})
	}
}
