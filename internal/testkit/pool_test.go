package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// Whatever a test does to its database, the next one gets it as the service makes it. Not parallel: the same database is to
// come again.
func TestNextTestGetsTheDatabaseAsTheServiceMakesIt(t *testing.T) {
	changes := map[string]func(*testing.T, *store.Database) error{
		"nothing": func(*testing.T, *store.Database) error { return nil },
		"documents": func(t *testing.T, d *store.Database) error {
			_, err := d.Collection("patients").InsertMany(t.Context(), []any{bson.M{"userId": "a"}, bson.M{"userId": "b"}})
			return err
		},
		"a collection more": func(t *testing.T, d *store.Database) error {
			_, err := d.Collection("others").InsertOne(t.Context(), bson.M{"x": 1})
			return err
		},
		"a collection less": func(t *testing.T, d *store.Database) error { return d.Collection("patients").Drop(t.Context()) },
		"an index more": func(t *testing.T, d *store.Database) error {
			_, err := d.Collection("patients").Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "other", Value: 1}}})
			return err
		},
		"an index less": func(t *testing.T, d *store.Database) error {
			return d.Collection("clinicians").Indexes().DropOne(t.Context(), "UniqueInviteId")
		},
		"a rule": func(t *testing.T, d *store.Database) error {
			return d.RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "patients"}, {Key: "validator", Value: bson.M{"never": 1}}}).Err()
		},
		"no database": func(t *testing.T, d *store.Database) error { return d.Drop(t.Context()) },
	}
	for name, change := range changes {
		before := ""
		t.Run(name, func(t *testing.T) {
			d := testkit.Database(t)
			before = d.Name()
			require.NoError(t, change(t, d))
		})
		t.Run(name+", afterwards", func(t *testing.T) {
			d := testkit.Database(t)
			require.Equal(t, before, d.Name())
			requireAsMade(t, d)
		})
	}
}

func requireAsMade(t *testing.T, d *store.Database) {
	t.Helper()
	states, err := d.CheckIndexes(t.Context(), app.Indexes()...)
	require.NoError(t, err)
	for _, state := range states {
		require.Empty(t, state.Problem, state.Name)
	}
	names, err := d.ListCollectionNames(t.Context(), bson.D{})
	require.NoError(t, err)
	require.NotContains(t, names, "others")
	for _, name := range names {
		n, err := d.Collection(name).CountDocuments(t.Context(), bson.D{})
		require.NoError(t, err)
		require.Zero(t, n, name)
	}
	indexes, err := d.Collection("patients").Indexes().ListSpecifications(t.Context())
	require.NoError(t, err)
	for _, index := range indexes {
		require.NotEqual(t, "other_1", index.Name)
	}
	_, err = d.Collection("patients").InsertOne(t.Context(), bson.M{"userId": "c"})
	require.NoError(t, err)
}

func TestTestsAtTheSameTimeHaveDatabasesOfTheirOwn(t *testing.T) {
	t.Parallel()
	first, second := testkit.Database(t), testkit.Database(t)
	require.NotEqual(t, first.Name(), second.Name())
}
