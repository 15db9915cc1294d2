package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

func TestAnErrorAfterAPanicIsSent(t *testing.T) {
	t.Parallel()
	e, sent := echo.New(), httptest.NewRecorder()
	c := e.NewContext(httptest.NewRequest(http.MethodGet, "/", nil), sent)
	require.Panics(t, func() {
		_, _ = holdAnswer(c, func(echo.Context) error { panic("what no handler does") })
	})
	writeError(echo.ErrInternalServerError, c)
	require.Equal(t, http.StatusInternalServerError, sent.Code)
	require.NotEmpty(t, sent.Body.String())
}

func TestAnAnswerIsHeldUntilItIsSent(t *testing.T) {
	t.Parallel()
	e, sent := echo.New(), httptest.NewRecorder()
	c := e.NewContext(httptest.NewRequest(http.MethodGet, "/", nil), sent)
	w, err := holdAnswer(c, func(c echo.Context) error { return c.String(http.StatusAccepted, "here") })
	require.NoError(t, err)
	require.Empty(t, sent.Body.String())
	require.NoError(t, w.send())
	require.Equal(t, http.StatusAccepted, sent.Code)
	require.Equal(t, "here", sent.Body.String())
}
