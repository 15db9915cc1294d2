package merge_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// trips counts the commands that a database is sent. What only tells that a merge is still under way comes by the clock and does
// not count, nor do the ends of transactions, which not every engine has.
type trips struct {
	mu      sync.Mutex
	n       int
	command map[string]int // by name and collection
}

func (c *trips) count(_ context.Context, e *event.CommandStartedEvent) {
	collection, _ := e.Command.Lookup(e.CommandName).StringValueOK()
	if slices.Contains([]string{"hello", "commitTransaction", "abortTransaction"}, e.CommandName) || collection == "open_merges" || collection == "census_changes" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if c.command == nil {
		c.command = map[string]int{}
	}
	c.command[e.CommandName+" "+collection]++
}

// counted returns the database over a connection whose commands are counted.
func counted(t testing.TB, d *store.Database) (*store.Database, *trips) {
	t.Helper()
	counter := &trips{}
	settings := testkit.Store(d.Name())
	settings.OptParams += "&timeoutMS=60000" // a busy machine makes databases slow
	watched, err := store.Open(settings, zap.NewNop(), store.Monitors{Commands: &event.CommandMonitor{Started: counter.count}})
	require.NoError(t, err)
	require.NoError(t, watched.Connect(t.Context(), false))
	t.Cleanup(func() { _ = watched.Close(context.WithoutCancel(t.Context())) })
	return watched, counter
}

// mergeOf merges the clinics of a crowd.
func mergeOf(t testing.TB, d *store.Database, c crowd) {
	t.Helper()
	s := service(d)
	s.LeaseTime = 5 * time.Second // nobody waits for it
	require.NoError(t, s.Merge(t.Context(), hexID(t, c.source), hexID(t, c.target)))
}

func hexID(t testing.TB, text string) bson.ObjectID {
	t.Helper()
	id, err := bson.ObjectIDFromHex(text)
	require.NoError(t, err)
	return id
}

// TestAMergeMakesFewTripsToTheDatabase: what is read or written once for a batch of 200 patients is not read or written for
// each of them, nor twice. It has the database to itself, lest SecantusDB answers nobody else in time.
func TestAMergeMakesFewTripsToTheDatabase(t *testing.T) {
	d, counter := counted(t, testkit.Database(t))
	tripsOf := func(label string, size int) (int, map[string]int) {
		c := newCrowd(t, d, label, size)
		counter.n, counter.command = 0, nil
		mergeOf(t, d, c)
		return counter.n, counter.command
	}
	few, _ := tripsOf("few", 200)
	many, commands := tripsOf("many", 600)
	const batches = 2 * (600 - 200) / 200
	t.Logf("%d trips with 200 patients each, %d with 600, of them %v", few, many, commands)
	require.Less(t, float64(many-few)/batches, 8.0)
}
