package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/traces"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	parent      = "00-" + callerTrace + "-b7ad6b7169203331-01"
)

// traced starts a service whose spans can be looked at.
func traced(t *testing.T) (*testkit.App, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracer, err := traces.NewFor(t.Context(), "1.2.3", sdk.WithSyncer(spans))
	require.NoError(t, err)
	return testkit.Start(t, testkit.With(fx.Decorate(func() *traces.Tracer { return tracer }))), spans
}

func TestARequestIsOneTrace(t *testing.T) {
	t.Parallel()
	app, spans := traced(t)
	clinicID, adminID := app.NewClinic(t)
	app.NewPatient(t, clinicID, "Secret Name", map[string]any{"mrn": "SECRETMRN"})
	spans.Reset()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, app.URL+"/v1/clinics/"+clinicID+"/patients?search=SECRETMRN", nil)
	require.NoError(t, err)
	request.Header.Set("traceparent", parent)
	app.Do(t, testkit.User(adminID), request).OK(t, http.StatusOK)

	var server, access tracetest.SpanStub
	names := map[string]bool{}
	require.Eventually(t, func() bool { // the span of the request ends after the answer
		for _, span := range spans.GetSpans() {
			names[span.Name] = true
			switch span.Name {
			case "GET /v1/clinics/{clinicId}/patients":
				server = span
			case "access check":
				access = span
			}
		}
		return server.Name != ""
	}, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, callerTrace, server.SpanContext.TraceID().String())
	require.Equal(t, server.SpanContext.SpanID(), access.Parent.SpanID())
	require.Contains(t, names, "find")
	inAccess, below := 0, 0
	for _, span := range spans.GetSpans() {
		if span.SpanContext.TraceID() != server.SpanContext.TraceID() {
			continue
		}
		switch span.Parent.SpanID() {
		case access.SpanContext.SpanID():
			inAccess++
			require.False(t, span.StartTime.After(access.EndTime))
		case server.SpanContext.SpanID():
			below++
		}
		for _, attribute := range span.Attributes {
			for _, secret := range []string{"SECRETMRN", "Secret Name", clinicID, adminID} {
				require.NotContains(t, attribute.Value.String(), secret, "%s of %s", attribute.Key, span.Name)
			}
		}
	}
	require.Positive(t, inAccess, "the token check or the membership")
	require.Greater(t, below, 1, "the access check and what the handler reads")
}

func TestARefusedRequestEndsItsSpans(t *testing.T) {
	t.Parallel()
	app, spans := traced(t)
	spans.Reset()
	app.Call(t, testkit.User("nobody"), http.MethodGet, "/v1/clinics/5f85fbe6686e6bb9170ab5d0", nil)
	require.Eventually(t, func() bool {
		names := map[string]bool{}
		for _, span := range spans.GetSpans() {
			names[span.Name] = true
		}
		return names["access check"] && (names["request"] || names["GET /v1/clinics/{clinicId}"])
	}, 5*time.Second, 10*time.Millisecond)
}

// TestTheCallersTraceIsKeptWithoutTracing holds what works although traces are off.
func TestTheCallersTraceIsKeptWithoutTracing(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, app.URL+"/v1/clinics", nil)
	require.NoError(t, err)
	request.Header.Set("traceparent", parent)
	app.Do(t, testkit.User(app.NewUser(t, "Ada Admin")), request) // whose token nobody has checked yet
	checks := app.Standin.Calls("GET /token/")
	require.NotEmpty(t, checks)
	require.Equal(t, parent, checks[len(checks)-1].Header.Get("Traceparent"), "the neighbour gets it")
	found := false
	for _, line := range app.Log.All() {
		found = found || line.ContextMap()["trace_id"] == callerTrace
	}
	require.True(t, found, "the line of the request names the trace")
}

// TestTracesEndAtThePlatform holds that partners outside learn nothing of traces.
func TestTracesEndAtThePlatform(t *testing.T) {
	t.Parallel()
	var partner *platform.Xealth
	app := testkit.Start(t, testkit.Populate(&partner))
	app.Standin.AddOrder("deployment", "order", map[string]any{})
	header := http.Header{"Traceparent": {parent}}
	ctx, end := (*traces.Tracer)(nil).Request((&http.Request{Header: header}).WithContext(t.Context()))
	require.Equal(t, callerTrace, traces.ID(ctx))
	_, err := partner.Order(ctx, "deployment", "order")
	require.NoError(t, err)
	end("", "", http.StatusOK)
	calls := app.Standin.Calls("GET /partner/", "POST /oauth2/")
	require.Len(t, calls, 2)
	for _, call := range calls {
		require.Empty(t, call.Header.Get("Traceparent"), call)
	}
}

// TestSpansReachACollector sends to a collector what the standard variables ask for. It changes the environment.
func TestSpansReachACollector(t *testing.T) {
	var mu sync.Mutex
	var received strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		received.WriteString(r.URL.Path + " " + r.Header.Get("Content-Type") + " ")
		received.Write(content)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "clinic-of-the-test")
	app := testkit.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	_, _ = get(t, app.URL+"/v1/clinics", http.Header{"X-Tidepool-Session-Token": {"server"}})
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		text := received.String()
		return strings.Contains(text, "/v1/traces application/x-protobuf") && strings.Contains(text, "GET /v1/clinics") &&
			strings.Contains(text, "clinic-of-the-test") && strings.Contains(text, "user: ")
	}, 15*time.Second, 50*time.Millisecond)
}

func TestVariablesOfTraces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env map[string]string
		on  bool
		err string
	}{
		{env: nil},
		{env: map[string]string{"OTEL_COLLECTOR_HOST": "collector"}}, // of the deployed chart
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		{env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, on: true},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: "OTEL_TRACES_EXPORTER"},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, err: "OTEL_EXPORTER_OTLP_PROTOCOL"},
	} {
		tracer, err := traces.New(context.Background(), "1", func(name string) string { return test.env[name] })
		if test.err != "" {
			require.ErrorContains(t, err, test.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.on, tracer.IsOn(), test.env)
		require.NoError(t, tracer.Stop(context.Background()))
	}
}
