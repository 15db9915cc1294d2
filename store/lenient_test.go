package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

type part struct {
	Name *string    `bson:"name"`
	At   *time.Time `bson:"at"`
}

type record struct {
	ID     bson.ObjectID         `bson:"_id"`
	Text   string                `bson:"text"`
	Number *int                  `bson:"number"`
	Flag   bool                  `bson:"flag"`
	Part   *part                 `bson:"part"`
	Plain  part                  `bson:"plain"`
	Parts  []part                `bson:"parts"`
	Ids    []bson.ObjectID       `bson:"ids"`
	Counts map[bson.ObjectID]int `bson:"counts"`
	Named  map[string]part       `bson:"named"`
	Raw    bson.Raw              `bson:"raw"`
	Any    any                   `bson:"any"`
}

func TestWhatIsOfAnUnexpectedFormIsAbsent(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	d, err := store.Open(testkit.Store(testkit.Database(t).Name()), zap.New(core), store.Monitors{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close(t.Context()) })
	good, odd, key := bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID()
	_, err = d.Collection("records").InsertMany(t.Context(), []any{
		bson.M{
			"_id": good, "text": "a", "number": 1.0, "flag": true, "part": bson.M{"name": "b"}, "plain": bson.M{"name": "c"}, "parts": bson.A{bson.M{"name": "d"}},
			"ids": bson.A{key}, "counts": bson.M{key.Hex(): 7}, "named": bson.M{"x": bson.M{"name": "e"}}, "raw": bson.M{"x": 1}, "any": bson.A{1},
		},
		bson.M{
			"_id": odd, "text": 5, "number": 1.5, "flag": "yes", "part": "Sesam", "plain": bson.A{}, "parts": bson.A{nil, 3, bson.M{"name": 5, "at": "x"}, bson.M{"name": "d"}},
			"ids": bson.A{"x", nil, key}, "counts": bson.M{"x": 1, key.Hex(): "y"}, "named": bson.M{"x": nil, "y": bson.M{}}, "raw": 1, "any": nil,
		},
	})
	require.NoError(t, err)
	read := func(id bson.ObjectID) (r record) {
		require.NoError(t, d.Collection("records").FindOne(t.Context(), bson.M{"_id": id}).Decode(&r))
		return r
	}
	text := func(s string) *string { return &s }
	one := 1
	require.Equal(t, record{
		ID: good, Text: "a", Number: &one, Flag: true, Part: &part{Name: text("b")}, Plain: part{Name: text("c")}, Parts: []part{{Name: text("d")}},
		Ids: []bson.ObjectID{key}, Counts: map[bson.ObjectID]int{key: 7}, Named: map[string]part{"x": {Name: text("e")}},
		Raw: read(good).Raw, Any: bson.A{int32(1)},
	}, read(good))
	require.NotEmpty(t, read(good).Raw)
	require.Zero(t, d.Misshapen())

	require.Equal(t, record{
		ID: odd, Parts: []part{{}, {Name: text("d")}}, Ids: []bson.ObjectID{key}, Counts: map[bson.ObjectID]int{}, Named: map[string]part{"y": {}},
	}, read(odd))
	read(odd)
	require.EqualValues(t, 2, d.Misshapen())
	lines := logs.FilterMessageSnippet("unexpected form").All()
	require.Len(t, lines, 1, "not at each reading")
	require.Equal(t, odd.Hex(), lines[0].ContextMap()["_id"])
	require.NotContains(t, lines[0].ContextMap(), "Sesam")
}
