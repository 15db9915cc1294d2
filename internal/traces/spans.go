package traces

import (
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Request begins the span of a request, below the one that its header names. The returned function ends it, with the method and
// the template of the path of the operation; both are "" if there is none.
func (t *Tracer) Request(r *http.Request) (ctx context.Context, end func(method, route string, status int)) {
	ctx = w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.start(ctx, "request", trace.SpanKindServer)
	return ctx, func(method, route string, status int) {
		if route != "" { // otherwise method and path are words of the caller
			span.SetName(method + " " + route)
			span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route))
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Step begins a span for a part of a request. What follows it goes on with the context that end returns for the one it has.
func (t *Tracer) Step(ctx context.Context, name string) (inside context.Context, end func(ctx context.Context) context.Context) {
	parent := trace.SpanFromContext(ctx)
	inside, span := t.start(ctx, name, trace.SpanKindInternal)
	return inside, func(ctx context.Context) context.Context {
		span.End()
		return trace.ContextWithSpan(ctx, parent)
	}
}

// Call begins the span of a call of a neighbour. Party and operation come from small fixed sets. The returned function ends it:
// the status is digits, or a word if there was no answer.
func (t *Tracer) Call(ctx context.Context, party, operation string) (inside context.Context, end func(status string)) {
	inside, span := t.start(ctx, party+": "+operation, trace.SpanKindClient,
		attribute.String("peer.service", party), attribute.String("clinic.operation", operation))
	return inside, func(status string) {
		number, err := strconv.Atoi(status)
		if err == nil {
			span.SetAttributes(attribute.Int("http.response.status_code", number))
		} else {
			span.SetAttributes(attribute.String("error.type", status))
		}
		if err != nil || number >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Inject writes the context of a trace into the header of a call.
func Inject(ctx context.Context, header http.Header) {
	w3c.Inject(ctx, propagation.HeaderCarrier(header))
}

// ID returns the id of the trace that the context belongs to, "" if to none.
func ID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}
