package testkit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/store"
)

// Census returns the census of the clinics of a database whose demo patient is the given one, "" for none.
func Census(d *store.Database, demoUserID string) *census.Service {
	return census.NewService(d, store.NewLeases(d), config.Demo{PatientUserID: demoUserID}, zap.NewNop())
}

// SweepCensus does what the service does a minute after a process died, until no note is left, and returns how many clinics it
// mended. It waits for the service under test, which may be doing the same.
func SweepCensus(t testing.TB, d *store.Database, demoUserID string) int {
	t.Helper()
	mended := 0
	require.Eventually(t, func() bool {
		notes := d.Collection(census.NotesCollectionName)
		if _, err := notes.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "time", Value: time.Unix(0, 0)}}}}); err != nil {
			return false
		}
		n, err := Census(d, demoUserID).Sweep(t.Context())
		mended += n
		if err != nil {
			return false
		}
		left, err := notes.CountDocuments(t.Context(), bson.D{})
		if err != nil || left > 0 {
			return false
		}
		held, err := d.Collection(store.LeaseCollectionName).CountDocuments(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "^recount/"}}}})
		return err == nil && held == 0
	}, 30*time.Second, 20*time.Millisecond, "notes of the census are left")
	return mended
}
