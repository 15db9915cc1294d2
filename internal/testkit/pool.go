package testkit

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/store"
)

// Making a database with its indexes takes engines a quarter of a second to two seconds, most of what many tests take. So
// databases are kept, from one run to the next: a test gets one that is empty, and whose collections and indexes are those
// that the service makes. One that a test has changed more deeply is thrown away.

// layouts names the database that says by which indexes each kept one was made.
const layouts = databasePrefix + "layouts"

// slots are the kept databases of the package that this process uses.
var slots struct {
	sync.Mutex
	free []int
	next int
	keep []*os.File // the locks, which go with the process
}

// takeSlot returns the number of a kept database that no other test uses, in this process or another one.
func takeSlot() (int, error) {
	slots.Lock()
	defer slots.Unlock()
	if n := len(slots.free); n > 0 {
		slot := slots.free[n-1]
		slots.free = slots.free[:n-1]
		return slot, nil
	}
	for {
		slot := slots.next
		slots.next++
		file, err := os.OpenFile(filepath.Join(os.TempDir(), keptName(slot)+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return 0, err
		}
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			slots.keep = append(slots.keep, file)
			return slot, nil
		}
		_ = file.Close() // another run of the same tests has it
	}
}

func leaveSlot(slot int) {
	slots.Lock()
	defer slots.Unlock()
	slots.free = append(slots.free, slot)
}

func keptName(slot int) string { return fmt.Sprintf("%s_%d", sharedName(), slot) }

// kept returns an empty database with all indexes of the service.
func kept(t testing.TB) *store.Database {
	t.Helper()
	slot, err := takeSlot()
	require.NoError(t, err)
	d := open(t, keptName(slot))
	t.Cleanup(func() {
		_ = d.Close(context.Background()) // nothing is to be saved
		leaveSlot(slot)
	})
	ctx := t.Context()
	usable, err := emptied(ctx, d)
	require.NoError(t, err)
	if usable {
		return d
	}
	require.NoError(t, d.Drop(ctx))
	require.NoError(t, d.EnsureIndexes(ctx, app.Indexes()...))
	_, err = d.Client().Database(layouts).Collection("layouts").UpdateByID(ctx, d.Name(),
		bson.M{"$set": bson.M{"layout": layout()}}, options.UpdateOne().SetUpsert(true))
	require.NoError(t, err)
	return d
}

// layout stands for the indexes of the service: databases made by others are of no use.
func layout() string {
	sum := fnv.New64a()
	for _, set := range app.Indexes() {
		_, _ = fmt.Fprint(sum, set.Collection)
		for _, index := range set.Indexes {
			_, _ = fmt.Fprintf(sum, " %s %v %t %v %d", index.Name, index.Keys, index.Unique, index.Partial, index.ExpireSeconds)
			if index.Locale != nil {
				_, _ = fmt.Fprintf(sum, " %+v", *index.Locale)
			}
		}
	}
	return fmt.Sprintf("%x", sum.Sum64())
}

// emptied removes all documents, and reports whether the database is as the service makes it.
func emptied(ctx context.Context, d *store.Database) (bool, error) {
	made := d.Client().Database(layouts).Collection("layouts").FindOne(ctx, bson.M{"_id": d.Name(), "layout": layout()})
	if store.IsNotFound(made.Err()) {
		return false, nil
	}
	if made.Err() != nil {
		return false, made.Err()
	}
	expected := map[string][]string{}
	for _, set := range app.Indexes() {
		for _, index := range set.Indexes {
			expected[set.Collection] = append(expected[set.Collection], index.Name)
		}
	}
	found, err := d.ListCollectionSpecifications(ctx, bson.D{})
	if err != nil {
		return false, err
	}
	for _, collection := range found {
		names, ok := expected[collection.Name]
		delete(expected, collection.Name)
		if !ok {
			err = d.Collection(collection.Name).Drop(ctx)
		} else {
			ok, err = cleared(ctx, d.Collection(collection.Name), collection, names)
			if !ok {
				return false, err
			}
		}
		if err != nil {
			return false, err
		}
	}
	return len(expected) == 0, nil
}

// cleared removes all documents, unless the collection has rules or indexes of its own.
func cleared(ctx context.Context, c *mongo.Collection, found mongo.CollectionSpecification, expected []string) (bool, error) {
	if _, err := found.Options.LookupErr("validator"); err == nil {
		return false, nil
	}
	indexes, err := c.Indexes().ListSpecifications(ctx)
	if err != nil {
		return false, err
	}
	names := []string{"_id_"}
	names = append(names, expected...)
	var present []string
	for _, index := range indexes {
		present = append(present, index.Name)
	}
	slices.Sort(names)
	slices.Sort(present)
	if !slices.Equal(slices.Compact(names), present) {
		return false, nil
	}
	_, err = c.DeleteMany(ctx, bson.D{})
	return err == nil, err
}
