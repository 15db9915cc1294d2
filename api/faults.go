package api

import (
	"errors"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidepool-org/clinic/internal/errs"
)

// faults are the metrics of requests that are under way, or went wrong in a way that their status does not tell.
type faults struct {
	inFlight prometheus.Gauge
	bodies   *prometheus.CounterVec
	panics   prometheus.Counter
}

// Why a body was refused, in metrics.
const (
	bodyTooLarge = "too large"
	bodyInvalid  = "invalid"
)

func newFaults(registry prometheus.Registerer) faults {
	f := faults{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "clinic_http_requests_in_flight", Help: "Requests that are being answered."}),
		bodies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clinic_http_bodies_refused_total", Help: "Requests that were refused for their body.",
		}, []string{"reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "clinic_panics_total", Help: "Requests that ended in a panic."}),
	}
	f.bodies.WithLabelValues(bodyTooLarge)
	f.bodies.WithLabelValues(bodyInvalid)
	registry.MustRegister(f.inFlight, f.bodies, f.panics)
	return f
}

// Registry is where the rest of the service puts its metrics.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// watch keeps the metrics. It comes before the errors of inner steps are written.
func (f *faults) watch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if isProbe(c.Request()) {
			return next(c)
		}
		f.inFlight.Inc()
		defer f.inFlight.Dec()
		err := next(c)
		if reason := bodyProblem(cause(c)); reason != "" {
			f.bodies.WithLabelValues(reason).Inc()
		}
		return err
	}
}

// bodyProblem returns why the body of a request was refused, "" if it was not. All errors about a body begin alike.
func bodyProblem(err error) string {
	switch {
	case err == nil:
		return ""
	case errs.Is(err, errs.TooLarge) || isTooLarge(err):
		return bodyTooLarge
	case errors.Is(err, errMediaType) || errs.Is(err, errs.BadRequest) && strings.HasPrefix(errs.Public(err), bodyErrorPrefix):
		return bodyInvalid
	default:
		return ""
	}
}

// bodyErrorPrefix begins the text of every error about a body.
const bodyErrorPrefix = "request body has an error"
