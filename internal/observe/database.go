package observe

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// commandNames are the database commands that metrics tell apart.
var commandNames = []string{
	"find", "aggregate", "insert", "update", "delete", "findAndModify", "count", "distinct", "getMore", "commitTransaction",
	"abortTransaction",
}

// CommandName returns the name of a database command, or "other" for one that is not for documents.
func CommandName(name string) string {
	if slices.Contains(commandNames, name) {
		return name
	}
	return "other"
}

// CommandMonitor returns a monitor that measures each database command.
func (m *Metrics) CommandMonitor() *event.CommandMonitor {
	observe := func(name, outcome string, took time.Duration) {
		m.commands.WithLabelValues(CommandName(name), outcome).Observe(took.Seconds())
	}
	return &event.CommandMonitor{
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) { observe(e.CommandName, "ok", e.Duration) },
		Failed: func(_ context.Context, e *event.CommandFailedEvent) {
			observe(e.CommandName, commandOutcome(e.Failure), e.Duration)
		},
	}
}

func commandOutcome(err error) string {
	var command mongo.ServerError
	switch {
	case mongo.IsDuplicateKeyError(err):
		return "duplicate"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case mongo.IsTimeout(err):
		return "timeout"
	case errors.As(err, &command) && command.HasErrorLabel("TransientTransactionError"):
		return "conflict"
	case errors.As(err, &command):
		return "refused"
	case mongo.IsNetworkError(err):
		return "network"
	default:
		return "failed"
	}
}

// PoolMonitor returns a monitor that measures how long operations wait for a connection, and tells the next one.
func (m *Metrics) PoolMonitor(next *event.PoolMonitor) *event.PoolMonitor {
	return &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		if e.Type == event.ConnectionCheckedOut || e.Type == event.ConnectionCheckOutFailed {
			m.poolWaits.Observe(e.Duration.Seconds())
		}
		if next != nil {
			next.Event(e)
		}
	}}
}
