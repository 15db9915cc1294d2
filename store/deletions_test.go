package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// insertPatients stores patients of a clinic and returns their ids.
func insertPatients(t *testing.T, d *store.Database, clinicID bson.ObjectID, n int) (ids []bson.ObjectID) {
	t.Helper()
	for range n {
		id := bson.NewObjectID()
		_, err := d.Collection("patients").InsertOne(t.Context(), bson.D{
			{Key: "_id", Value: id}, {Key: "clinicId", Value: clinicID}, {Key: "userId", Value: id.Hex()}, {Key: "mrn", Value: nil},
		})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

func TestARemovalIsRecordedOnce(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	deletions := store.NewDeletions(d, "patients", "patient", nil)
	clinicID := bson.NewObjectID()
	ids := insertPatients(t, d, clinicID, 3)
	filter := bson.M{"clinicId": clinicID}
	first, second := "aaaaaaaaaa", "bbbbbbbbbb"

	require.NoError(t, deletions.Record(t.Context(), filter, &first)) // and then the process dies
	require.Len(t, testkit.Documents(t, d, "patients", filter), 3)
	removed := 0
	var lock sync.Mutex
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			n, err := deletions.Remove(t.Context(), filter, &second)
			lock.Lock()
			defer lock.Unlock()
			require.NoError(t, err)
			removed += n
		})
	}
	calls.Wait()
	require.Equal(t, 3, removed)
	require.Empty(t, testkit.Documents(t, d, "patients", filter))
	records := testkit.Documents(t, d, "patient_deletions", bson.M{})
	require.Len(t, records, 3)
	for i, record := range records {
		require.Equal(t, bson.M{
			"_id": record["_id"], "deletedTime": record["deletedTime"], "deletedByUserId": first, "derived": bson.D{{Key: "of", Value: ids[i]}},
			"patient": bson.D{{Key: "_id", Value: ids[i]}, {Key: "clinicId", Value: clinicID}, {Key: "userId", Value: ids[i].Hex()}, {Key: "mrn", Value: nil}},
		}, record)
	}
}

func TestRemovalsAtTheSameTimeAreRecordedOnce(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	deletions := store.NewDeletions(d, "patients", "patient", func(field bson.RawElement) bool { return field.Key() == "mrn" })
	for range 10 {
		clinicID := bson.NewObjectID()
		insertPatients(t, d, clinicID, 1)
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() {
				_, err := deletions.Remove(t.Context(), bson.M{"clinicId": clinicID}, nil)
				require.NoError(t, err)
			})
		}
		calls.Wait()
		records := testkit.Documents(t, d, "patient_deletions", bson.M{"patient.clinicId": clinicID})
		require.Len(t, records, 1)
		require.NotContains(t, records[0], "deletedByUserId")
		require.Len(t, records[0]["patient"], 3, "without the omitted field")
	}
}
