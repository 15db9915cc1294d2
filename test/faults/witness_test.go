package faults_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// signals is a collection whose inserts tell that no earlier event is under way any more.
const signals = "witness_signals"

// unread are the collections whose events nobody follows.
var unread = []string{
	census.CollectionName, census.NotesCollectionName, store.LeaseCollectionName, "open_merges", "open_merge_steps", "tag_changes", creations, signals,
}

// witness sees the database as those do who follow its change stream. What the events are is held in test/events; here it
// matters that a fault adds none and takes none away.
type witness struct {
	database *store.Database
	stream   *mongo.ChangeStream
}

func newWitness(t testing.TB, d *store.Database) *witness {
	t.Helper()
	_, err := d.Collection(signals).InsertOne(t.Context(), bson.D{}) // so that the database is there
	require.NoError(t, err)
	stream, err := d.Watch(t.Context(), mongo.Pipeline{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close(context.Background()) })
	return &witness{d, stream}
}

// events returns what was told since the last call, sorted. Without a witness there is nothing.
func (s *scene) events() []string {
	s.Helper()
	if s.witness == nil {
		return nil
	}
	signal := bson.NewObjectID()
	_, err := s.witness.database.Collection(signals).InsertOne(s.Context(), bson.D{{Key: "_id", Value: signal}})
	require.NoError(s, err)
	found := []string{}
	for s.witness.stream.Next(s.Context()) {
		event := s.witness.stream.Current
		if id, ok := event.Lookup("documentKey", "_id").ObjectIDOK(); ok && id == signal {
			slices.Sort(found)
			return found
		}
		if collection := event.Lookup("ns", "coll").StringValue(); !slices.Contains(unread, collection) {
			found = append(found, described(collection, event))
		}
	}
	require.NoError(s, s.witness.stream.Err())
	require.Fail(s, "the change stream ended")
	return nil
}

// described names what happened to which collection and, for an update, the fields.
func described(collection string, event bson.Raw) string {
	kind := event.Lookup("operationType").StringValue()
	if kind != "update" {
		return collection + " " + kind
	}
	updated, _ := event.Lookup("updateDescription", "updatedFields").DocumentOK()
	elements, _ := updated.Elements()
	var fields []string
	for _, element := range elements {
		if element.Key() != "updatedTime" { // which stays the same within a millisecond
			fields = append(fields, element.Key())
		}
	}
	slices.Sort(fields)
	return fmt.Sprintf("%s %s %s", collection, kind, strings.Join(fields, " "))
}

// eventsAreRight asserts that a call that failed and its repeat told what one call tells. Where they are several transactions, a
// repeat may update again what it finds, and counts may go up and down; but nothing is made or removed twice.
func (s *scene) eventsAreRight(o operation, normal course) {
	s.Helper()
	found := s.events()
	if o.transactions == 1 {
		require.Equal(s, normal.events, found)
		return
	}
	require.Equal(s, madeAndRemoved(o, normal.events), madeAndRemoved(o, found))
}

func madeAndRemoved(o operation, events []string) []string {
	return slices.DeleteFunc(slices.Clone(events), func(event string) bool {
		collection, kind, _ := strings.Cut(event, " ")
		return kind != "insert" && kind != "delete" || o.more != nil && slices.Contains(o.more.collections, collection)
	})
}
