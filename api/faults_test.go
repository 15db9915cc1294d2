package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
)

func TestPanicsAreCounted(t *testing.T) {
	t.Parallel()
	counted := 0
	handler := guardPanics(zap.NewNop(), func() { counted++ })(func(echo.Context) error { panic("at the disco") })
	c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder())
	require.Error(t, handler(c))
	require.Equal(t, 1, counted)
}

func TestWhyABodyIsRefused(t *testing.T) {
	t.Parallel()
	for want, problems := range map[string][]error{
		"":           {nil, errors.New("anything"), errs.NotFoundf("not found"), errs.New(errs.BadRequest, "parameter is bad")},
		bodyTooLarge: {errTooLarge, &http.MaxBytesError{Limit: 1}},
		bodyInvalid:  {errNoBody, errMediaType, decodeError(errors.New("x")), readError(errors.New("x"))},
	} {
		for _, err := range problems {
			require.Equal(t, want, bodyProblem(err), "%v", err)
		}
	}
}
