package app_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/traces"
)

// BenchmarkTraces says what traces add to a request that reads one clinic.
func BenchmarkTraces(b *testing.B) {
	for name, options := range map[string][]sdk.TracerProviderOption{
		"off": nil, "on": {sdk.WithBatcher(tracetest.NewNoopExporter())}, "sampled out": {sdk.WithSampler(sdk.NeverSample())},
	} {
		b.Run(name, func(b *testing.B) {
			var with []testkit.Option
			if options != nil {
				tracer, err := traces.NewFor(context.Background(), "1", options...)
				require.NoError(b, err)
				with = append(with, testkit.With(fx.Decorate(func() *traces.Tracer { return tracer })))
			}
			app := testkit.Start(b, with...)
			clinicID, _ := app.NewClinic(b)
			b.ReportAllocs()
			for b.Loop() {
				app.Call(b, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID, nil).OK(b, http.StatusOK)
			}
		})
	}
}
