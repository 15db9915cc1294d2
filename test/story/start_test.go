package story_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestAStartDoesNotWaitForIndexesOfALargeCollection: a database was restored without its indexes, and each takes its time.
func TestAStartDoesNotWaitForIndexesOfALargeCollection(t *testing.T) {
	t.Parallel()
	const building = 6 * time.Second // for one index: far more than a start takes, also on a busy machine
	d := testkit.Database(t)
	require.NoError(t, d.Drop(t.Context()))
	clinicID, patients := bson.NewObjectID(), make([]any, 0, 1200)
	for range cap(patients) {
		patients = append(patients, bson.M{"clinicId": clinicID, "userId": bson.NewObjectID().Hex(), "fullName": "Pat", "mrn": nil})
	}
	_, err := d.Collection("patients").InsertMany(t.Context(), patients)
	require.NoError(t, err)
	proxy, err := wire.Start(testkit.Store("").Addresses)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	proxy.Arm(wire.Fault{Delay: building, Counts: func(c wire.Command) bool { return c.Name == "createIndexes" }})

	begun := time.Now()
	service := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Store.Addresses, c.Store.Database, c.Store.BuildIndexes = proxy.Address(), d.Name(), true
	}))
	took := time.Since(begun)
	t.Logf("listening after %s", took)
	require.Less(t, took, building*2/3)
	page := service.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID.Hex()+"/patients?limit=1", nil).OK(t, http.StatusOK).Object(t)
	require.InDelta(t, len(patients), page["meta"].(map[string]any)["count"], 0)
	steps, err := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes()).Plan(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, steps, "the indexes are still being built")
}
