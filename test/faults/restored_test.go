package faults_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// TestTwoServicesStartOnADatabaseWithoutIndexes: a database was restored without its indexes. Two services start on it at once,
// do not wait for the indexes, and between them build each once.
func TestTwoServicesStartOnADatabaseWithoutIndexes(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	require.NoError(t, d.Drop(t.Context()))
	clinicID := bson.NewObjectID()
	var patients []any
	for range 3000 {
		id := bson.NewObjectID()
		patients = append(patients, bson.M{"_id": id, "clinicId": clinicID, "userId": id.Hex(), "fullName": id.Hex(), "mrn": nil})
	}
	_, err := d.Collection("patients").InsertMany(t.Context(), patients)
	require.NoError(t, err)
	var services sync.WaitGroup
	for range 2 {
		services.Go(func() {
			begun := time.Now()
			testkit.Start(t, testkit.Configure(func(c *config.Config) {
				c.Store.Database, c.Store.BuildIndexes = d.Name(), true
			}))
			t.Logf("listening after %s", time.Since(begun))
			if took := time.Since(begun); took > app.StartTimeout/2 { // the machine may be busy
				t.Errorf("a service waited %s", took)
			}
		})
	}
	services.Wait()
	builder := store.NewIndexBuilder(d, store.NewLeases(d), app.Indexes())
	require.Eventually(t, func() bool {
		steps, err := builder.Plan(t.Context())
		return err == nil && len(steps) == 0
	}, time.Minute, 200*time.Millisecond)
	states, err := builder.Check(t.Context())
	require.NoError(t, err)
	for _, state := range states {
		require.Empty(t, state.Problem, state.Name)
	}
}
