package roster

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/store"
)

func TestARowLeavesTheSummaryAsItIsStored(t *testing.T) {
	t.Parallel()
	record, err := bson.Marshal(bson.D{
		{Key: "userId", Value: "x"}, {Key: "summary", Value: bson.D{{Key: "cgmStats", Value: bson.D{}}}}, {Key: "mrn", Value: "1"},
	})
	require.NoError(t, err)
	d, err := store.Open(config.Store{}, zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	row, err := (&Service{database: d}).newRow(record)
	require.NoError(t, err)
	require.Equal(t, "x", row.Patient.UserID)
	require.Equal(t, "1", *row.Patient.MRN)
	require.Nil(t, row.Patient.Summary)
	require.True(t, row.Summary.Exists())
}
