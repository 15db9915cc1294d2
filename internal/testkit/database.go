package testkit

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/store"
)

// StoreVariable names the database for tests, as host:port. `make test` sets it.
const StoreVariable = "CLINIC_TEST_STORE"

const defaultStore = "127.0.0.1:27018"

// databasePrefix marks databases that may be thrown away.
const databasePrefix = "clinic_test_"

// Store returns the settings of a database of the given name.
func Store(name string) config.Store {
	address := os.Getenv(StoreVariable)
	if address == "" {
		address = defaultStore
	}
	return config.Store{Addresses: address, Database: name, OptParams: "directConnection=true"}
}

// Database returns a connected database of the test's own, empty, with all indexes of the service.
func Database(t testing.TB) *store.Database {
	t.Helper()
	return kept(t)
}

// fresh returns a database that no other test will get, for processes that may still be writing when they are killed.
func fresh(t testing.TB) *store.Database {
	t.Helper()
	d := open(t, databasePrefix+bson.NewObjectID().Hex())
	t.Cleanup(func() { discard(t, d) })
	require.NoError(t, d.EnsureIndexes(t.Context(), app.Indexes()...))
	return d
}

func open(t testing.TB, name string) *store.Database {
	t.Helper()
	settings := Store(name)
	settings.OptParams += "&timeoutMS=60000" // a busy machine makes databases slowly; services under test have their own times
	d, err := store.Open(settings, zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	require.NoError(t, connect(t.Context(), d), "no database for tests: run scripts/database up, and set "+StoreVariable+" to what it prints")
	return d
}

// recovery is how long a database gets that answers, but has to recover first: DocumentDB ends all connections when one of
// them makes it crash.
const recovery = time.Minute

func connect(ctx context.Context, d *store.Database) error {
	for end := time.Now().Add(recovery); ; time.Sleep(time.Second) {
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := d.Connect(once, false)
		cancel()
		if _, answers := errors.AsType[mongo.CommandError](err); !answers || time.Now().After(end) {
			return err
		}
	}
}

func discard(t testing.TB, d *store.Database) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, d.Drop(ctx))
	require.NoError(t, d.Close(ctx))
}

// sharedName returns the name of the database that all tests of a package share. Another checkout, in which the same tests
// may run at the same time, has another one.
func sharedName() string {
	directory, _ := os.Getwd() // tests run in the directory of their package
	checkout := fnv.New32a()
	_, _ = checkout.Write([]byte(directory))
	return fmt.Sprintf("%sshared_%s_%08x", databasePrefix, filepath.Base(directory), checkout.Sum32())
}

// Documents returns the documents of a collection that match the filter, as they are stored, ordered by id.
func Documents(t testing.TB, d *store.Database, collection string, filter any) []bson.M {
	t.Helper()
	cursor, err := d.Collection(collection).Find(t.Context(), filter, options.Find().SetSort(store.Ascending("_id")))
	require.NoError(t, err)
	documents := []bson.M{}
	require.NoError(t, cursor.All(t.Context(), &documents))
	return documents
}
