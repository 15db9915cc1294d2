package traces

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name under which the spans of this service are made.
const scope = "github.com/tidepool-org/clinic"

// Tracer makes spans. A nil Tracer makes none.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider // nil if traces are off
	commands commands
}

var (
	nothing = noop.NewTracerProvider().Tracer(scope)
	w3c     = propagation.TraceContext{}
)

// New returns a tracer as the environment wants it; getenv looks a variable up. It returns an error if the variables ask for
// something that this service does not do. It connects to nobody: what cannot be sent is dropped.
func New(ctx context.Context, version string, getenv func(string) string) (*Tracer, error) {
	wanted, err := isWanted(getenv)
	if err != nil || !wanted {
		return &Tracer{tracer: nothing}, err
	}
	exporter, err := otlptracehttp.New(ctx) // reads OTEL_EXPORTER_OTLP_*
	if err != nil {
		return nil, errors.New("the variables OTEL_EXPORTER_OTLP_* are not valid") // the library's text may repeat a header
	}
	return NewFor(ctx, version, sdk.WithBatcher(exporter)) // reads OTEL_BSP_*
}

// NewFor returns a tracer whose spans go where the options say.
func NewFor(ctx context.Context, version string, options ...sdk.TracerProviderOption) (*Tracer, error) {
	described, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "clinic"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
	if err != nil {
		return nil, errors.New("the variable OTEL_RESOURCE_ATTRIBUTES is not valid")
	}
	provider := sdk.NewTracerProvider(append(options, sdk.WithResource(described))...) // reads OTEL_TRACES_SAMPLER
	return &Tracer{tracer: provider.Tracer(scope), provider: provider}, nil
}

// isWanted reports whether the variables ask for traces.
func isWanted(getenv func(string) string) (bool, error) {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || exporter == "none" || exporter == "" && endpoint == "" {
		return false, nil
	}
	if exporter != "" && exporter != "otlp" {
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER must be otlp or none")
	}
	protocol := getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if protocol != "" && protocol != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf")
	}
	return true, nil
}

// IsOn reports whether spans are made.
func (t *Tracer) IsOn() bool { return t != nil && t.provider != nil }

// ReportErrors tells what the library reports of spans that it could not send. There is one such function for the process. The
// text of the error is left out, because it may repeat the address with a credential.
func (t *Tracer) ReportErrors(report func()) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { report() }))
}

// Stop sends what is left, until the context ends.
func (t *Tracer) Stop(ctx context.Context) error {
	if !t.IsOn() {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

func (t *Tracer) start(ctx context.Context, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	tracer := nothing
	if t != nil {
		tracer = t.tracer
	}
	return tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}
