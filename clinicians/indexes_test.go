package clinicians_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// Engines that refuse text indexes are good enough for this service.
func TestNoTextIndexIsMade(t *testing.T) {
	t.Parallel()
	require.NotContains(t, indexNames(t, testkit.Database(t)), "ClinicianSearch")
	for _, set := range clinicians.Indexes() {
		for _, index := range set.Indexes {
			for _, key := range index.Keys {
				require.NotEqual(t, "text", key.Value, "%s of %s", index.Name, set.Collection)
			}
		}
	}
}

func TestStartLeavesTheDeployedTextIndexAlone(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	_, err := d.Collection(clinicians.CollectionName).Indexes().CreateOne(t.Context(), mongo.IndexModel{
		Keys:    bson.D{{Key: "clinicId", Value: 1}, {Key: "email", Value: "text"}, {Key: "fullName", Value: "text"}},
		Options: options.Index().SetName("ClinicianSearch"),
	})
	if err != nil {
		testkit.Skip(t, "the engine has no text indexes: %v", err)
	}
	require.NoError(t, d.EnsureIndexes(t.Context(), clinicians.Indexes()...))
	require.Contains(t, indexNames(t, d), "ClinicianSearch")
	states, err := d.CheckIndexes(t.Context(), clinicians.Indexes()...)
	require.NoError(t, err)
	for _, state := range states {
		require.Empty(t, state.Problem, state.Name)
	}
}

func indexNames(t *testing.T, d *store.Database) []string {
	t.Helper()
	specs, err := d.Collection(clinicians.CollectionName).Indexes().ListSpecifications(t.Context())
	require.NoError(t, err)
	names := make([]string, 0, len(specs))
	for _, spec := range specs {
		names = append(names, spec.Name)
	}
	return names
}
