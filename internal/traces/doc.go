// Package traces tells a collector of traces what a request consists of: the access check, each database command, each call of a
// neighbour. It is the one package that knows OpenTelemetry.
//
// It is off unless the standard variables OTEL_* ask for it. Also then, the context that a caller sends (W3C, header
// traceparent) goes on to neighbours and into the log. Spans hold no path, no value and no text of an error: these can hold data
// of patients.
package traces
