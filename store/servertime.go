package store

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// offsetAge is how long the difference between the clocks of this process and of the database is relied on.
const offsetAge = time.Minute

// serverClock knows how far the clock of the database is from that of this process.
type serverClock struct {
	mu       sync.Mutex
	offset   time.Duration
	measured time.Time
}

// ServerTime returns the time by the clock of the database, which all processes share. What several of them compare, such as
// the end of a lease, is told by it, never by their own clocks, which differ. The database is asked once a minute; in
// between, the clock of this process goes on from there.
func (d *Database) ServerTime(ctx context.Context) (time.Time, error) {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.measured.IsZero() || time.Since(d.server.measured) > offsetAge {
		if err := d.measureOffset(ctx); err != nil {
			return time.Time{}, err
		}
	}
	return time.Now().Add(d.server.offset).UTC().Truncate(time.Millisecond), nil
}

func (d *Database) measureOffset(ctx context.Context) error {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	ctx = mongo.NewSessionContext(ctx, nil) // the question is no part of a transaction
	asked := time.Now()
	if err := d.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return err
	}
	answered := time.Now()
	// The database looked at its clock somewhere in between.
	d.server.offset = hello.LocalTime.Sub(asked.Add(answered.Sub(asked) / 2))
	d.server.measured = answered
	return nil
}
