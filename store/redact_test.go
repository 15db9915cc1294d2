package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func TestWhatTheDatabaseSaysIsNotRepeated(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	things := d.Collection("things")
	require.NoError(t, d.EnsureIndexes(t.Context(), oneIndex(store.Index{Name: "U", Keys: store.Ascending("mrn"), Unique: true})))
	document := bson.M{"_id": 1, "mrn": "Sesam"}
	_, err := things.InsertOne(t.Context(), document)
	require.NoError(t, err)
	_, duplicate := things.InsertOne(t.Context(), bson.M{"_id": 2, "mrn": "Sesam"})
	_, bulk := things.InsertMany(t.Context(), []any{bson.M{"_id": 3, "mrn": "Sesam"}})
	refused := things.FindOneAndUpdate(t.Context(), bson.M{"_id": 1}, bson.M{"$set": bson.M{"mrn.x": 1}}).Err()
	_, path := things.UpdateOne(t.Context(), bson.M{"_id": 1}, bson.M{"$push": bson.M{"mrn": 1}})
	for _, err := range []error{duplicate, bulk, store.CauseOf(bulk, 0), refused, path} {
		require.Error(t, err)
		text := store.Redact(err, "reading: "+err.Error())
		require.NotContains(t, text, "Sesam")
		require.Contains(t, text, "reading: ")
		require.Contains(t, text, "code ")
	}
	require.Equal(t, "as it is", store.Redact(store.ErrLeaseHeld, "as it is"))
}
