package testkit

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

var (
	storedDate  = regexp.MustCompile(`\{"\$date":\{"\$numberLong":"-?\d+"\}\}`)
	storedInt32 = regexp.MustCompile(`\{"\$numberInt":"(-?\d+)"\}`)
	storedID    = regexp.MustCompile(`\{"\$oid":"([0-9a-f]{24})"\}`)
)

// Stored returns the documents of a collection that match the filter, ordered by id, as JSON in which the types can be told
// apart: an object id reads "oid:…", a date "date", a 32-bit integer 7, any other number {"$numberLong":"7"} and the like.
// What this service keeps for itself, under "derived", is left out.
func Stored(t testing.TB, d *store.Database, collection string, filter any) string {
	t.Helper()
	cursor, err := d.Collection(collection).Find(t.Context(), filter,
		options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetProjection(bson.D{{Key: "derived", Value: 0}}))
	require.NoError(t, err)
	var documents []bson.Raw
	require.NoError(t, cursor.All(t.Context(), &documents))
	texts := make([]string, 0, len(documents))
	for _, document := range documents {
		text, err := bson.MarshalExtJSON(document, true, false)
		require.NoError(t, err)
		texts = append(texts, storedDate.ReplaceAllString(storedInt32.ReplaceAllString(storedID.ReplaceAllString(string(text), `"oid:$1"`), "$1"), `"date"`))
	}
	return "[" + strings.Join(texts, ",") + "]"
}
