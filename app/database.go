package app

import (
	"context"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// startStore connects, and leaves everything else that has to do with the database to the background. It waits a little for the
// indexes, so that a small database has them from the first request on.
func startStore(lc fx.Lifecycle, c config.Store, d *store.Database, indexes *store.IndexBuilder, census *census.Service, people *patients.Service, trail *audit.Trail, log *zap.Logger) {
	var work background
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := connect(ctx, c, d); err != nil {
				return err
			}
			looked, err := check(ctx, c, indexes, log)
			if err != nil {
				return err
			}
			work.start(census.Run) //nolint:contextcheck // it outlives the start
			work.start(people.Run) //nolint:contextcheck // so does this
			if trail.Changes() {
				work.start(trail.Run) //nolint:contextcheck // so does this
			}
			if c.BuildIndexes {
				work.start(indexes.Run) //nolint:contextcheck // so does this
				if looked {
					indexes.AwaitFirstPass(ctx)
				}
			}
			return nil
		},
		OnStop: func(ctx context.Context) error {
			work.stop(ctx)
			return d.Close(ctx)
		},
	})
}

func connect(ctx context.Context, c config.Store, d *store.Database) error {
	ctx, cancel := context.WithTimeout(ctx, databaseTime)
	defer cancel()
	return d.Connect(ctx, c.RequireTransactions)
}

// check looks at the indexes, and reports whether it could. It says aloud what is not as it should be, and returns an error if
// nothing may be written so.
func check(ctx context.Context, c config.Store, indexes *store.IndexBuilder, log *zap.Logger) (looked bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	states, err := indexes.Check(ctx)
	if err != nil { // a database that is busy building them, for one: no reason not to start
		log.Warn("the indexes could not be looked at", zap.Error(err))
		return false, nil
	}
	for _, state := range states {
		if state.Problem == "" || c.BuildIndexes && state.IsMissing() {
			continue
		}
		log.Error("an index is not as it should be: ehr indexes plan says what can be done",
			zap.String("collection", state.Collection), zap.String("index", state.Name),
			zap.String("problem", state.Problem), zap.String("severity", string(state.Severity)))
	}
	return true, store.WrongIndexes(states)
}

// background is work that goes on until the service stops.
type background struct {
	cancels []context.CancelFunc
	running sync.WaitGroup
}

func (b *background) start(work func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancels = append(b.cancels, cancel)
	b.running.Go(func() { work(ctx) })
}

// stop ends the work, and waits for a write that is under way, but not for long: a stop is never held up by it.
func (b *background) stop(ctx context.Context) {
	for _, cancel := range b.cancels {
		cancel()
	}
	ended := make(chan struct{})
	go func() {
		b.running.Wait()
		close(ended)
	}()
	patience := batchTime
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)-closeTime/2)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
