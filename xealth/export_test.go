package xealth

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/store"
)

// TakeTurn lets tests outside of this package, which need a database, take turns.
func TakeTurn(ctx context.Context, d *store.Database, patience time.Duration, name string) (context.Context, func(), error) {
	return turns{d.Collection(turnCollection), patience, zap.NewNop()}.Acquire(ctx, name)
}
