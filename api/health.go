package api

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

const (
	pingLimit = 2 * time.Second // less than what probes wait
	pingCache = 3 * time.Second // so that probes do not load the database
)

// Health answers probes. The service is ready while its database answers, until it is told to stop.
type Health struct {
	ping     func(ctx context.Context) error
	log      *zap.Logger
	stopping atomic.Bool
	answered atomic.Bool // what the database did when it was asked last

	mu      sync.Mutex
	checked time.Time
	healthy bool
}

// NewHealth returns probes that ask the database with ping.
func NewHealth(ping func(ctx context.Context) error, log *zap.Logger) *Health {
	return &Health{ping: ping, log: log}
}

// Stop turns the service unready for good.
func (h *Health) Stop() { h.stopping.Store(true) }

// Check asks the database, as a probe does.
func (h *Health) Check(ctx context.Context) error {
	h.databaseAnswers(ctx)
	return nil
}

// IsReady reports what a probe would be answered, as far as it is known. It asks nobody.
func (h *Health) IsReady() bool { return !h.stopping.Load() && h.answered.Load() }

func (h *Health) live(c echo.Context) error { return c.NoContent(http.StatusOK) }

// ready answers 200 or, COMPAT, 400, without a body.
func (h *Health) ready(c echo.Context) error {
	if h.stopping.Load() || !h.databaseAnswers(c.Request().Context()) {
		return c.NoContent(http.StatusBadRequest)
	}
	return c.NoContent(http.StatusOK)
}

func (h *Health) databaseAnswers(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.checked) < pingCache {
		return h.healthy
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
	defer cancel()
	err := h.ping(ctx)
	if err != nil && h.healthy {
		h.log.Error("the database does not answer", zap.Error(err))
	}
	h.checked, h.healthy = time.Now(), err == nil
	h.answered.Store(h.healthy)
	return h.healthy
}
