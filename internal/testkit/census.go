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

// SweepCensus does at once what the service does a minute after a process died, and returns how many clinics it mended.
func SweepCensus(t testing.TB, d *store.Database, demoUserID string) int {
	t.Helper()
	_, err := d.Collection(census.NotesCollectionName).UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "time", Value: time.Unix(0, 0)}}}})
	require.NoError(t, err)
	mended, err := Census(d, demoUserID).Sweep(t.Context())
	require.NoError(t, err)
	return mended
}
