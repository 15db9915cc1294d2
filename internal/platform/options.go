package platform

import (
	"time"

	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/traces"
)

const (
	defaultConnectTimeout = 5 * time.Second
	defaultCallTimeout    = 12 * time.Second
)

// Options are what all clients have in common. The zero value is usable.
type Options struct {
	// ConnectTimeout limits establishing a connection, and then its TLS handshake. Zero means 5 seconds.
	ConnectTimeout time.Duration
	// CallTimeout limits a whole call, including a repetition of it. Zero means 12 seconds.
	CallTimeout time.Duration
	// Observe is told about each exchange. Nil means nobody is.
	Observe ObserveFunc
	// LoginFailed is told when this service could not log in at a party. Nil means nobody is.
	LoginFailed func(party string)
	// Tracer makes a span of each exchange. Nil means none.
	Tracer *traces.Tracer
	// Logger receives what happens in the background, that is failed logins. Nil means that it is dropped.
	Logger *zap.Logger
	// Now is the clock. Nil means that of the system.
	Now func() time.Time
}

// ObserveFunc is told about one exchange with a neighbour when it is over. Upstream and operation come from small fixed
// sets. Status is the HTTP status in digits, or "timeout", "canceled" or "error" when there was no usable answer.
type ObserveFunc func(upstream, operation, status string, duration time.Duration)

func (o Options) withDefaults() Options {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.CallTimeout <= 0 {
		o.CallTimeout = defaultCallTimeout
	}
	if o.Observe == nil {
		o.Observe = func(string, string, string, time.Duration) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LoginFailed == nil {
		o.LoginFailed = func(string) {}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}
