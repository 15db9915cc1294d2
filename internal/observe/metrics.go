package observe

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidepool-org/clinic/internal/tally"
)

// Metrics are the metrics that do not belong to the HTTP face.
type Metrics struct {
	registry      prometheus.Registerer
	loginFailures *prometheus.CounterVec
	commands      *prometheus.HistogramVec
	poolWaits     prometheus.Histogram
}

// NewMetrics puts metrics into the registry.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		registry: registry,
		loginFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clinic_token_refresh_failures_total", Help: "Logins at a neighbouring service that failed.",
		}, []string{"party"}),
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clinic_database_operation_duration_seconds", Help: "Time of a database command, by its name and outcome.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60},
		}, []string{"operation", "outcome"}),
		poolWaits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "clinic_database_pool_wait_seconds", Help: "Time that an operation waits for a connection of the pool.",
			Buckets: []float64{.0001, .001, .005, .01, .05, .1, .5, 1, 5, 15},
		}),
	}
	for _, party := range []string{"user", "gateway", "xealth"} {
		m.loginFailures.WithLabelValues(party)
	}
	registry.MustRegister(m.loginFailures, m.commands, m.poolWaits)
	build := ThisBuild()
	m.Gauge("clinic_build_info", "Which build runs.", "version", "revision", "go_version").
		WithLabelValues(build.Version, build.Revision, build.GoVersion).Set(1)
	return m
}

// LoginFailed counts a login at a neighbour that failed.
func (m *Metrics) LoginFailed(party string) { m.loginFailures.WithLabelValues(party).Inc() }

// Gauge adds a gauge.
func (m *Metrics) Gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(gauge)
	return gauge
}

// GaugeFunc adds a gauge whose value is asked for when metrics are read. The function must answer at once.
func (m *Metrics) GaugeFunc(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// CounterFunc is GaugeFunc for a number that only grows.
func (m *Metrics) CounterFunc(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}

// Counter adds a tally, with the names of its labels.
func (m *Metrics) Counter(name, help string, counter *tally.Counter, labels ...string) {
	m.registry.MustRegister(counterCollector{prometheus.NewDesc(name, help, labels, nil), counter})
}

// Times adds a tally of times.
func (m *Metrics) Times(name, help string, times *tally.Times) {
	m.registry.MustRegister(timesCollector{prometheus.NewDesc(name, help, nil, nil), times})
}

type counterCollector struct {
	desc    *prometheus.Desc
	counter *tally.Counter
}

func (c counterCollector) Describe(descs chan<- *prometheus.Desc) { descs <- c.desc }

func (c counterCollector) Collect(metrics chan<- prometheus.Metric) {
	for words, n := range c.counter.Counts() {
		if n == 0 && slices.Contains(words, tally.Other) {
			continue // there should be none
		}
		metrics <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(n), words...)
	}
}

type timesCollector struct {
	desc  *prometheus.Desc
	times *tally.Times
}

func (c timesCollector) Describe(descs chan<- *prometheus.Desc) { descs <- c.desc }

func (c timesCollector) Collect(metrics chan<- prometheus.Metric) {
	s := c.times.Snapshot()
	metrics <- prometheus.MustNewConstHistogram(c.desc, s.Count, s.Sum.Seconds(), s.UpTo)
}
