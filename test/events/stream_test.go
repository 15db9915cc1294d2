package events_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// own are the collections that only this service reads.
var own = []string{"patient_census", "census_changes", "audit", "audit_attempts", "leases", "idempotency_keys", "open_merges", "open_merge_steps", "patient_creations", "tag_changes", markers}

// markers is a collection whose inserts tell that no earlier event is under way any more.
const markers = "event_markers"

// event is a change as a change stream tells it.
type event struct {
	Kind      string `bson:"operationType"`
	Namespace struct {
		Collection string `bson:"coll"`
	} `bson:"ns"`
	Key struct {
		ID bson.RawValue `bson:"_id"`
	} `bson:"documentKey"`
	Document    bson.Raw `bson:"fullDocument"`
	Description struct {
		Updated   bson.Raw        `bson:"updatedFields"`
		Removed   []string        `bson:"removedFields"`
		Truncated []bson.RawValue `bson:"truncatedArrays"`
	} `bson:"updateDescription"`
}

// String returns the event as docs/events.md shows it.
func (e event) String() string {
	text := fmt.Sprintf("`%s` %s", e.Namespace.Collection, e.Kind)
	if e.Kind != "update" {
		return text
	}
	elements, _ := e.Description.Updated.Elements()
	var updated []string
	for _, element := range elements {
		updated = append(updated, element.Key())
	}
	text += quoted(" of ", updated)
	text += quoted(" without ", e.Description.Removed)
	if len(e.Description.Truncated) > 0 {
		text += ", arrays cut short"
	}
	return text
}

func quoted(before string, fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	fields = slices.Sorted(slices.Values(fields))
	return before + "`" + strings.Join(fields, "`, `") + "`"
}

// stream is a change stream of the database of a test, with documents looked up, as the connectors open it.
type stream struct {
	database *store.Database
	*mongo.ChangeStream
}

func watch(t *testing.T, d *store.Database) *stream {
	t.Helper()
	opened, err := d.Watch(t.Context(), mongo.Pipeline{}, options.ChangeStream().SetFullDocument(options.UpdateLookup))
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close(context.Background()) })
	return &stream{database: d, ChangeStream: opened}
}

// since returns the events since the last call that are of collections that others read.
func (s *stream) since(t *testing.T) []event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	marker := bson.NewObjectID()
	_, err := s.database.Collection(markers).InsertOne(ctx, bson.D{{Key: "_id", Value: marker}})
	require.NoError(t, err)
	var found []event
	for s.Next(ctx) {
		var next event
		require.NoError(t, s.Decode(&next))
		if id, ok := next.Key.ID.ObjectIDOK(); ok && id == marker {
			return found
		}
		if !slices.Contains(own, next.Namespace.Collection) {
			found = append(found, next)
		}
	}
	require.NoError(t, s.Err())
	require.Fail(t, "the stream ended before the marker")
	return nil
}

// described returns the events in words, those that are alike as one.
func described(events []event) []string {
	counts := map[string]int{}
	for _, e := range events {
		counts[e.String()]++
	}
	var found []string
	for text, count := range counts {
		if count > 1 {
			text = fmt.Sprintf("%d × %s", count, text)
		}
		found = append(found, text)
	}
	slices.Sort(found)
	return found
}

// requireDocuments asserts that every event but a deletion brings the document it is about, unless that is gone by now.
func requireDocuments(t *testing.T, events []event) {
	t.Helper()
	gone := map[string]bool{}
	for _, e := range slices.Backward(events) {
		key := e.Namespace.Collection + e.Key.ID.String()
		if e.Kind == "delete" {
			gone[key] = true
			continue
		}
		if len(e.Document) == 0 && gone[key] {
			continue
		}
		require.NotEmpty(t, e.Document, "%s brings no document", e)
		require.True(t, e.Document.Lookup("_id").Equal(e.Key.ID), "%s brings another document", e)
	}
}
