package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestOneLineAndOneSampleAlsoForAnAnswerThatIsCutOff has a handler fail after a part of its answer was sent.
func TestOneLineAndOneSampleAlsoForAnAnswerThatIsCutOff(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	metrics := NewMetrics()
	e := echo.New()
	e.Use(metrics.measure, accessLog(zap.New(core), nil), guardPanics(zap.New(core), func() {}))
	e.GET("/list", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		if _, err := c.Response().Write([]byte("[1,")); err != nil {
			return err
		}
		c.Response().Flush()
		panic(cutOff{cause: errors.New("the database went away")})
	})
	server := httptest.NewServer(e)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/list", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.Error(t, err, "nobody may take the part for the whole")
	require.NoError(t, answer.Body.Close())

	require.Eventually(t, func() bool { return logs.Len() == 1 }, 10*time.Second, time.Millisecond)
	line := logs.FilterMessage("Cut off").All()
	require.Len(t, line, 1)
	require.Contains(t, line[0].ContextMap()["error"], "the database went away")
	found, err := metrics.registry.Gather()
	require.NoError(t, err)
	samples := 0
	for _, family := range found {
		if family.GetName() == "clinic_http_request_duration_seconds" {
			for _, metric := range family.GetMetric() {
				samples += int(metric.GetHistogram().GetSampleCount())
				require.Contains(t, metric.String(), "cut off")
			}
		}
	}
	require.Equal(t, 1, samples)
}
