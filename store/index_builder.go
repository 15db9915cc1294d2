package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"
)

const (
	// maxIndexes is how many indexes MongoDB allows a collection, the one of _id included.
	maxIndexes = 64
	// buildTime bounds building one index. It is there because an operation without a deadline gets a short one.
	buildTime = 24 * time.Hour
	// smallCollection is the size, in documents, up to which an index is made in a moment.
	smallCollection = 20_000
	// firstPassTime is how long a start waits for indexes.
	firstPassTime = 6 * time.Second
	// promptCollection is the size, in documents, up to which a start waits for indexes of the collection at all.
	promptCollection = 1000
	// planTime bounds looking at what is missing before a start waits for it.
	planTime = 500 * time.Millisecond
	// buildLease is what building indexes is called among the leases.
	buildLease = "indexes"
	// Builds that another process makes, or that failed, are looked at again after these times.
	lookAgain  = 2 * time.Second
	buildAgain = 10 * time.Minute
)

// ErrIndexesAreBuilt tells that another process is building indexes.
var ErrIndexesAreBuilt = errors.New("another process is building indexes")

// IndexBuilder makes the indexes that are missing, one by one, and never in two processes at once.
type IndexBuilder struct {
	database *Database
	leases   *Leases
	sets     []Indexes
	log      *zap.Logger

	firstPass chan struct{} // closed when all was tried once
	passed    sync.Once

	mu       sync.Mutex
	building map[string]int
	missing  map[string]int
}

// NewIndexBuilder returns a builder of the indexes.
func NewIndexBuilder(d *Database, leases *Leases, sets []Indexes) *IndexBuilder {
	return &IndexBuilder{
		database: d, leases: leases, sets: sets, log: d.log,
		firstPass: make(chan struct{}), building: map[string]int{}, missing: map[string]int{},
	}
}

// IndexStep is one index that is to be built.
type IndexStep struct {
	Collection string
	Index      Index
	Documents  int64 // in the collection, estimated
	NoRoom     bool  // the collection has as many indexes as the database allows
}

func (s IndexStep) isEssential() bool { return s.Index.Unique && s.Documents <= smallCollection }

// Check returns the state of each index.
func (b *IndexBuilder) Check(ctx context.Context) ([]IndexState, error) {
	states, err := b.database.CheckIndexes(ctx, b.sets...)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missing = map[string]int{}
	for _, set := range b.sets {
		b.missing[set.Collection] = 0
	}
	for _, state := range states {
		if state.Problem != "" {
			b.missing[state.Collection]++
		}
	}
	return states, nil
}

// Missing returns how many indexes of each collection were not as they should be when it was last looked at.
func (b *IndexBuilder) Missing() map[string]int { return b.copyOf(&b.missing) }

// Building returns how many indexes of each collection this process is building.
func (b *IndexBuilder) Building() map[string]int { return b.copyOf(&b.building) }

func (b *IndexBuilder) copyOf(numbers *map[string]int) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := make(map[string]int, len(*numbers))
	for collection, n := range *numbers {
		found[collection] = n
	}
	return found
}

// Plan returns the indexes that are missing, in the order in which they are built: unique ones of small collections, other
// unique ones, then those that make things fast, small collections first, and at last those that no query uses.
func (b *IndexBuilder) Plan(ctx context.Context) ([]IndexStep, error) {
	var steps []IndexStep
	room := map[string]int{}
	for _, set := range b.sets {
		collection := b.database.Collection(set.Collection)
		existing, err := existingIndexes(ctx, collection)
		if err != nil {
			return nil, fmt.Errorf("indexes of %s: %w", set.Collection, err)
		}
		room[set.Collection] = maxIndexes - max(len(existing), 1)
		var size int64
		for _, index := range set.Indexes {
			if index.compare(set.Collection, existing).Problem != problemMissing {
				continue
			}
			if size == 0 && len(existing) > 0 {
				if size, err = collection.EstimatedDocumentCount(ctx); err != nil {
					return nil, err
				}
			}
			steps = append(steps, IndexStep{Collection: set.Collection, Index: index, Documents: size})
		}
	}
	slices.SortStableFunc(steps, func(x, y IndexStep) int { return x.rank() - y.rank() })
	for i := range steps {
		steps[i].NoRoom = room[steps[i].Collection] <= 0
		room[steps[i].Collection]--
	}
	return steps, nil
}

func (s IndexStep) rank() int {
	switch {
	case s.isEssential():
		return 0
	case s.Documents <= smallCollection && !s.Index.Old:
		return 1
	case s.Index.Unique:
		return 2
	case !s.Index.Old:
		return 3
	default:
		return 4
	}
}

// Build makes the indexes of the plan, one by one, and tells of each before and after; err is nil before. An index that cannot
// be built does not keep it from the others. It returns ErrIndexesAreBuilt if another process is at it, and otherwise the
// errors of all.
func (b *IndexBuilder) Build(ctx context.Context, before func(IndexStep), after func(IndexStep, error)) error {
	ctx, lease, err := b.leases.Try(ctx, buildLease, b.database.Name())
	if errors.Is(err, ErrLeaseHeld) {
		return ErrIndexesAreBuilt
	}
	if err != nil {
		return err
	}
	defer lease.Release() //nolint:contextcheck // it is given back although the context ended
	steps, err := b.Plan(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, step := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		before(step)
		err := b.build(ctx, step)
		after(step, err)
		if err != nil {
			failed = append(failed, fmt.Errorf("index %s of %s: %w", step.Index.Name, step.Collection, err))
		}
	}
	return errors.Join(failed...)
}

var errNoRoom = fmt.Errorf("the collection has %d indexes, as many as the database allows: ehr indexes drop-unused makes room", maxIndexes)

func (b *IndexBuilder) build(ctx context.Context, step IndexStep) error {
	if step.NoRoom {
		return errNoRoom
	}
	b.count(step.Collection, 1)
	defer b.count(step.Collection, -1)
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	return createIndexes(ctx, b.database.Collection(step.Collection), []mongo.IndexModel{step.Index.model()})
}

func (b *IndexBuilder) count(collection string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.building[collection] += n
}

// AwaitFirstPass waits until all was tried once, which takes a moment on a new or small database. It does not wait for long, and
// not at all where much is stored: without unique indexes the service is right as long as nobody does the same twice in one
// moment, and without the others it is slower.
func (b *IndexBuilder) AwaitFirstPass(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstPassTime)
	defer cancel()
	select {
	case <-b.firstPass:
	case <-ctx.Done():
		b.log.Warn("indexes are still being built")
	}
}

// endFirstPass lets go of those who wait for the first pass.
func (b *IndexBuilder) endFirstPass() { b.passed.Do(func() { close(b.firstPass) }) }

// isQuick reports whether what is missing can be built in a moment.
func (b *IndexBuilder) isQuick(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, planTime) // who builds an index may keep others from looking at it
	defer cancel()
	steps, err := b.Plan(ctx)
	return err == nil && !slices.ContainsFunc(steps, func(s IndexStep) bool { return s.Documents > promptCollection })
}

// Run builds what is missing, in the background, until all is there or the context ends.
func (b *IndexBuilder) Run(ctx context.Context) {
	if !b.isQuick(ctx) {
		b.log.Info("indexes of a large collection are missing; the service does not wait for them")
		b.endFirstPass()
	}
	for {
		pause := buildAgain
		err := b.Build(ctx, b.announce, b.tell)
		if errors.Is(err, ErrIndexesAreBuilt) {
			pause = lookAgain
		} else {
			b.endFirstPass()
		}
		steps, planErr := b.Plan(ctx)
		if err == nil && planErr == nil && len(steps) == 0 {
			_, _ = b.Check(ctx) // for who asks for the number of missing ones
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (b *IndexBuilder) announce(step IndexStep) {
	b.log.Info("building an index", zap.String("collection", step.Collection), zap.String("index", step.Index.Name), zap.Int64("documents", step.Documents))
}

func (b *IndexBuilder) tell(step IndexStep, err error) {
	fields := []zap.Field{zap.String("collection", step.Collection), zap.String("index", step.Index.Name)}
	switch {
	case err == nil:
		b.log.Info("an index is built", fields...)
	case step.Index.Unique:
		b.log.Error("a unique index could not be built: what must be there once may be there twice", append(fields, zap.Error(err))...)
	case step.Index.Old:
		b.log.Info("an index that no query needs was not built", append(fields, zap.Error(err))...)
	default:
		b.log.Error("an index could not be built; queries that want it stay slow", append(fields, zap.Error(err))...)
	}
}
