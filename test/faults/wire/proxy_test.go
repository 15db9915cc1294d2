package wire_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// through returns a database as it is seen through the proxy, and the collection of the test as it is.
func through(t *testing.T, proxy *wire.Proxy, err error) (*store.Database, *mongo.Collection) {
	t.Helper()
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	direct := testkit.Database(t)
	settings := testkit.Store(direct.Name())
	settings.Addresses = proxy.Address()
	d, err := store.Open(settings, zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	require.NoError(t, d.Connect(t.Context(), false))
	t.Cleanup(func() { require.NoError(t, d.Close(context.Background())) })
	return d, direct.Collection("things")
}

func numbered(n int) []bson.D {
	var documents []bson.D
	for i := range n {
		documents = append(documents, bson.D{{Key: "_id", Value: i}})
	}
	return documents
}

func count(t *testing.T, c *mongo.Collection) int {
	t.Helper()
	n, err := c.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	return int(n)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "the driver tries a lost write again there, and nobody notices")
	tests := map[wire.Kind]struct{ stored, after int }{
		wire.Lost:       {stored: 1, after: 5},
		wire.Unanswered: {stored: 5, after: 5},
		wire.Halved:     {stored: 3, after: 5},
		wire.Down:       {stored: 1, after: 5},
		wire.Refused:    {stored: 1, after: 5},
		wire.Denied:     {stored: 5, after: 5},
	}
	for kind, test := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			proxy, err := wire.Start(testkit.Store("").Addresses)
			d, direct := through(t, proxy, err)
			things := d.Collection("things")
			var reached atomic.Bool
			proxy.Arm(wire.Fault{Write: 2, Kind: kind, Answer: wire.LastingError(), Reached: func() { reached.Store(true) }})

			_, err = things.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "first"}})
			require.NoError(t, err)
			_, err = things.InsertMany(t.Context(), numbered(4))
			require.Error(t, err)
			require.Equal(t, kind != wire.Refused && kind != wire.Denied, reached.Load())
			require.Equal(t, test.stored, count(t, direct))
			if kind == wire.Down {
				_, err = things.CountDocuments(t.Context(), bson.D{})
				require.Error(t, err)
			}
			require.True(t, proxy.Heal())
			_, err = things.DeleteMany(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$ne", Value: "first"}}}})
			require.NoError(t, err)
			_, err = things.InsertMany(t.Context(), numbered(4))
			require.NoError(t, err)
			require.Equal(t, test.after, count(t, direct))
			require.Len(t, proxy.Writes(), 4)
			require.Equal(t, "insert things", proxy.Writes()[1].String())
			require.Len(t, proxy.Writes()[1].Statements(), 4)
		})
	}
}

func TestFaultThatDoesNotComeIsNoticed(t *testing.T) {
	t.Parallel()
	proxy, err := wire.Start(testkit.Store("").Addresses)
	d, _ := through(t, proxy, err)
	proxy.Arm(wire.Fault{Write: 1, Kind: wire.Lost})
	_, err = d.Collection("things").CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	require.False(t, proxy.Heal())
}

// TestExpiredTransactionIsInNobodysWay: a service that died in a transaction leaves nothing behind, once the database has
// given the transaction up.
func TestExpiredTransactionIsInNobodysWay(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	proxy, err := wire.Start(testkit.Store("").Addresses)
	d, direct := through(t, proxy, err)
	_, err = direct.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "n"}, {Key: "n", Value: 1}})
	require.NoError(t, err)
	proxy.Arm(wire.Fault{Write: 2, Kind: wire.Down})
	err = d.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := d.Collection("things").UpdateByID(ctx, "n", add()); err != nil {
			return err
		}
		_, err := d.Collection("things").InsertOne(ctx, bson.D{{Key: "_id", Value: "other"}})
		return err
	})
	require.Error(t, err)
	require.True(t, proxy.Heal())
	require.NoError(t, proxy.Expire())
	_, err = direct.UpdateByID(t.Context(), "n", add())
	require.NoError(t, err)
	require.Equal(t, []bson.M{{"_id": "n", "n": int32(2)}}, testDocuments(t, direct))
}

func TestRetriedWriteIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t) // without these the driver does not try again
	testkit.NotOnSecantus(t, "carries out a retryable write that is sent again once more")
	proxy, err := wire.Start(testkit.Store("").Addresses)
	d, direct := through(t, proxy, err)
	proxy.Arm(wire.Fault{Write: 1, Kind: wire.Unanswered})
	_, err = d.Collection("things").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "n"}}, add(), upsert())
	require.NoError(t, err, "the driver tries again by itself")
	require.True(t, proxy.Heal())
	require.Equal(t, []bson.M{{"_id": "n", "n": int32(1)}}, testDocuments(t, direct))
}

// TestContention: the database itself sees the conflict where there can be one, and the service tries again in any case.
func TestContention(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	type write = func(ctx context.Context, things *mongo.Collection) error
	for name, test := range map[string]struct {
		real bool
		write
		left []bson.M
	}{
		"update": {real: true, left: []bson.M{{"_id": "n", "n": int32(2)}}, write: func(ctx context.Context, things *mongo.Collection) error {
			_, err := things.UpdateByID(ctx, "n", add())
			return err
		}},
		"delete": {real: true, write: func(ctx context.Context, things *mongo.Collection) error {
			_, err := things.DeleteOne(ctx, bson.D{{Key: "_id", Value: "n"}})
			return err
		}},
		"findAndModify": {real: true, left: []bson.M{{"_id": "n", "n": int32(2)}}, write: func(ctx context.Context, things *mongo.Collection) error {
			return things.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: "n"}}, add()).Err()
		}},
		"nothing is found": {left: []bson.M{{"_id": "n", "n": int32(1)}}, write: func(ctx context.Context, things *mongo.Collection) error {
			_, err := things.UpdateByID(ctx, "other", add())
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, err := wire.Start(testkit.Store("").Addresses)
			d, direct := through(t, proxy, err)
			_, err = direct.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "n"}, {Key: "n", Value: 1}})
			require.NoError(t, err)
			proxy.Arm(wire.Fault{Write: 1, Kind: wire.Contended, Answer: wire.TransientError()})
			attempts := 0
			require.NoError(t, d.InTx(t.Context(), func(ctx context.Context) error {
				attempts++
				return test.write(ctx, d.Collection("things"))
			}))
			require.True(t, proxy.Heal())
			require.Equal(t, test.real, proxy.Conflicted())
			require.Equal(t, 2, attempts)
			require.Equal(t, test.left, testDocuments(t, direct), "what the other client did was taken back")
		})
	}
}

func add() bson.D { return bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}} }

func upsert() *options.UpdateOneOptionsBuilder { return options.UpdateOne().SetUpsert(true) }

func testDocuments(t *testing.T, c *mongo.Collection) []bson.M {
	t.Helper()
	cursor, err := c.Find(t.Context(), bson.D{})
	require.NoError(t, err)
	var documents []bson.M
	require.NoError(t, cursor.All(t.Context(), &documents))
	return documents
}
