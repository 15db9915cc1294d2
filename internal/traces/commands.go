package traces

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// commands holds the spans of the database commands that are under way.
type commands struct {
	mu    sync.Mutex
	spans map[commandKey]trace.Span
}

type commandKey struct {
	connection string
	request    int64
}

// Commands returns a monitor that makes a span of each database command of a request, and tells the next one. Spans name the
// command and the collection, and hold no value.
func (t *Tracer) Commands(next *event.CommandMonitor) *event.CommandMonitor {
	if !t.IsOn() {
		return next
	}
	return &event.CommandMonitor{
		Started: func(ctx context.Context, e *event.CommandStartedEvent) {
			if trace.SpanFromContext(ctx).IsRecording() {
				_, span := t.start(ctx, e.CommandName, trace.SpanKindClient, attribute.String("db.system.name", "mongodb"),
					attribute.String("db.operation.name", e.CommandName), attribute.String("db.collection.name", collectionOf(e.Command, e.CommandName)))
				t.commands.put(commandKey{e.ConnectionID, e.RequestID}, span)
			}
			if next != nil && next.Started != nil {
				next.Started(ctx, e)
			}
		},
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) {
			t.commands.end(commandKey{e.ConnectionID, e.RequestID}, false)
			if next != nil && next.Succeeded != nil {
				next.Succeeded(ctx, e)
			}
		},
		Failed: func(ctx context.Context, e *event.CommandFailedEvent) {
			t.commands.end(commandKey{e.ConnectionID, e.RequestID}, true)
			if next != nil && next.Failed != nil {
				next.Failed(ctx, e)
			}
		},
	}
}

// collectionOf returns the collection of a command, "" if it is for none.
func collectionOf(command bson.Raw, name string) string {
	member := name
	if name == "getMore" {
		member = "collection"
	}
	collection, _ := command.Lookup(member).StringValueOK()
	return collection
}

func (c *commands) put(key commandKey, span trace.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spans == nil {
		c.spans = map[commandKey]trace.Span{}
	}
	c.spans[key] = span
}

func (c *commands) end(key commandKey, failed bool) {
	c.mu.Lock()
	span, ok := c.spans[key]
	delete(c.spans, key)
	c.mu.Unlock()
	if !ok {
		return
	}
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
