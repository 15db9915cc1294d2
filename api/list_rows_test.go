package api

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// An export that fails is an error as long as nothing was sent; later the connection is cut, so that no part looks like a file.
func TestAnExportThatFailsIsNoFile(t *testing.T) {
	t.Parallel()
	failing := func(after int) func(func(string, error) bool) {
		return func(yield func(string, error) bool) {
			for range after {
				if !yield("0123456789", nil) {
					return
				}
			}
			yield("", errors.New("the database went away"))
		}
	}
	add := func(body []byte, row string) ([]byte, error) { return append(body, row...), nil }
	form := exportForm("patients", mimeCSV, ".csv", "title\r\n")
	early := httptest.NewRecorder()
	require.ErrorContains(t, writeRows(early, form, failing(10), add), "went away")
	require.Empty(t, early.Header(), "the error has its own header")
	require.Zero(t, early.Body.Len())

	late := httptest.NewRecorder()
	require.Panics(t, func() { _ = writeRows(late, form, failing(exportFlush), add) })
	require.GreaterOrEqual(t, late.Body.Len(), exportFlush)
	require.Equal(t, mimeCSV, late.Header().Get("Content-Type"))
}
