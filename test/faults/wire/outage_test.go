package wire_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestCut: a database that is not there refuses at once, and is found again.
func TestCut(t *testing.T) {
	t.Parallel()
	proxy, err := wire.Start(testkit.Store("").Addresses)
	d, direct := through(t, proxy, err)
	things := d.Collection("things")
	_, err = things.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}})
	require.NoError(t, err)
	proxy.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = things.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}})
	require.Error(t, err)
	require.Equal(t, 1, count(t, direct))
	proxy.Mend()
	require.Eventually(t, func() bool {
		_, err := things.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 3}})
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, 2, count(t, direct))
}
