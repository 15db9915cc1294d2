package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
)

// LeaseCollectionName is the collection of leases. No other service reads it.
const LeaseCollectionName = "leases"

const (
	// leaseTime is how long a lease lasts without being renewed: after that, its holder must be dead.
	leaseTime = 30 * time.Second
	// leaseRenewal leaves two more attempts before the lease ends.
	leaseRenewal = leaseTime / 3
	// leaseRetention is when the database removes leases that dead processes left, in seconds.
	leaseRetention = 24 * 60 * 60
	// Those who wait for a lease ask again after these times, growing from the one to the other.
	leasePollMin = 10 * time.Millisecond
	leasePollMax = 250 * time.Millisecond
	// releaseTime bounds giving a lease back.
	releaseTime = 5 * time.Second
)

// ErrLeaseHeld tells that somebody else has the lease.
var ErrLeaseHeld = errs.Because("busy", errs.Unavailablef("the same is being done by another request"))

// errLeaseLost ends the context of work whose lease could not be renewed in time.
var errLeaseLost = errors.New("the lease was lost")

// Leases let one caller at a time do a thing, across all processes that share the database.
type Leases struct {
	database   *Database
	collection *mongo.Collection
	log        *zap.Logger

	mu   sync.Mutex
	held map[string]int // kind to number
}

// NewLeases returns the leases of the database.
func NewLeases(d *Database) *Leases {
	return &Leases{database: d, collection: d.Collection(LeaseCollectionName), log: d.log, held: map[string]int{}}
}

// LeaseIndexes returns the index that removes what dead processes left.
func LeaseIndexes() Indexes {
	return Indexes{Collection: LeaseCollectionName, Indexes: []Index{
		{Name: "LeasesByEnd", Keys: Ascending("until"), ExpireSeconds: leaseRetention},
	}}
}

// Lease is the right to do a thing, until Release is called or the context that came with it ends.
type Lease struct {
	leases      *Leases
	kind, key   string
	holder      bson.ObjectID
	stop        context.CancelCauseFunc
	renewalDone chan struct{}
}

// Try takes the lease of a kind of work on a subject, or returns ErrLeaseHeld. The work is to be done with the context that
// it returns, which ends early if the lease is lost. The subject may be an identifier of a patient: only a hash is stored.
func (l *Leases) Try(ctx context.Context, kind, subject string) (context.Context, *Lease, error) {
	sum := sha256.Sum256([]byte(subject))
	lease := &Lease{leases: l, kind: kind, key: kind + "/" + hex.EncodeToString(sum[:16]), holder: bson.NewObjectID()}
	until, err := lease.claim(ctx)
	if err != nil {
		return nil, nil, err
	}
	ctx, lease.stop = context.WithCancelCause(ctx)
	lease.renewalDone = make(chan struct{})
	l.count(kind, 1)
	go lease.renew(ctx, until)
	return ctx, lease, nil
}

// Wait is Try for a caller who waits until the lease is free or the patience ends, and then returns ErrLeaseHeld.
func (l *Leases) Wait(ctx context.Context, kind, subject string, patience time.Duration) (context.Context, *Lease, error) {
	deadline := time.Now().Add(patience)
	for pause := leasePollMin; ; pause = min(2*pause, leasePollMax) {
		working, lease, err := l.Try(ctx, kind, subject)
		if !errors.Is(err, ErrLeaseHeld) || time.Now().After(deadline) {
			return working, lease, err
		}
		if !sleep(ctx, pause) {
			return nil, nil, ctx.Err()
		}
	}
}

// jitter returns a time near the given one, so that callers who collided do not come back together.
func jitter(pause time.Duration) time.Duration {
	return pause/2 + rand.N(pause) //nolint:gosec // this needs no secret
}

// Held returns how many leases of each kind this process has.
func (l *Leases) Held() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := make(map[string]int, len(l.held))
	for kind, n := range l.held {
		held[kind] = n
	}
	return held
}

func (l *Leases) count(kind string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[kind] += n; l.held[kind] == 0 {
		delete(l.held, kind)
	}
}

// Release gives the lease back and ends the context that came with it.
func (l *Lease) Release() {
	l.stop(nil)
	<-l.renewalDone
	l.leases.count(l.kind, -1)
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	if _, err := l.leases.collection.DeleteOne(ctx, bson.D{{Key: "_id", Value: l.key}, {Key: "holder", Value: l.holder}}); err != nil {
		l.leases.log.Warn("a lease could not be given back; it ends by itself", zap.String("kind", l.kind), zap.Error(err))
	}
}

// claim takes the lease, or takes it again, and returns when it ends, by the clock of this process. If somebody else has it,
// the filter matches nothing and the insert collides.
func (l *Lease) claim(ctx context.Context) (time.Time, error) {
	asked := time.Now()
	now, err := l.leases.database.ServerTime(ctx)
	if err != nil {
		return time.Time{}, err
	}
	_, err = l.leases.collection.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: l.key}, {Key: "$or", Value: bson.A{
			bson.D{{Key: "until", Value: bson.D{{Key: "$lt", Value: now}}}},
			bson.D{{Key: "holder", Value: l.holder}},
		}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: now.Add(leaseTime)}, {Key: "holder", Value: l.holder}}}},
		options.UpdateOne().SetUpsert(true))
	return asked.Add(leaseTime), OneOf(err, nil, ErrLeaseHeld)
}

// renew keeps the lease until the work ends. It ends the work when it could not do so in time.
func (l *Lease) renew(ctx context.Context, until time.Time) {
	defer close(l.renewalDone)
	ticker := time.NewTicker(leaseRenewal)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		renewal, cancel := context.WithDeadline(ctx, until)
		extended, err := l.claim(renewal)
		cancel()
		if err == nil {
			until = extended
			continue
		}
		if errors.Is(err, ErrLeaseHeld) || time.Now().After(until.Add(-leaseRenewal)) {
			l.stop(errLeaseLost)
			return
		}
	}
}
