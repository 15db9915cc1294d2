package api

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what the service does, for Prometheus.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	outbound *prometheus.HistogramVec
	pool     *prometheus.GaugeVec
	odd      *prometheus.CounterVec
	faults
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clinic_http_request_duration_seconds", Help: "Time to answer a request, by operation and status.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300},
		}, []string{"method", "route", "status"}),
		outbound: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clinic_outbound_duration_seconds", Help: "Time of a call to a neighbouring service, by party, operation and outcome.",
			Buckets: prometheus.DefBuckets,
		}, []string{"party", "operation", "status"}),
		pool: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "clinic_database_connections", Help: "Connections of the database pool: open, and in use.",
		}, []string{"state"}),
		odd: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clinic_odd_documents_total", Help: "How often a stored document had a form that the service does not write, by collection.",
		}, []string{"collection"}),
	}
	m.faults = newFaults(m.registry)
	m.registry.MustRegister(m.requests, m.outbound, m.pool, m.odd,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ObserveOutbound records a call to a neighbouring service.
func (m *Metrics) ObserveOutbound(party, operation, status string, took time.Duration) {
	m.outbound.WithLabelValues(party, operation, status).Observe(took.Seconds())
}

// CountOddDocument records that a stored document was read that has a form that the service does not write.
func (m *Metrics) CountOddDocument(collection string) {
	m.odd.WithLabelValues(collection).Inc()
}

// measure records each request under the template of its route, never under its path, which holds ids.
func (m *Metrics) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start, status := time.Now(), "cut off"
		defer func() { // also for an answer that is cut off, which leaves as a panic
			if isProbe(c.Request()) || isFollowed(c) {
				return
			}
			route := "unknown"
			if operation, ok := c.Get(operationKey).(*operation); ok {
				route = operation.route.Path
			}
			m.requests.WithLabelValues(methodLabel(c.Request().Method), route, status).Observe(time.Since(start).Seconds())
		}()
		err := next(c)
		status = strconv.Itoa(c.Response().Status)
		return err
	}
}

func (m *Metrics) handler() echo.HandlerFunc {
	return echo.WrapHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}
