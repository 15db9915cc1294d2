package faults_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

const (
	// pulseTime is how long a write may take before the database is taken for dead. A busy one needs a second at most.
	pulseTime = 30 * time.Second
	pulseRest = 2 * time.Second
	// playTime bounds a part of a test, whatever it waits for.
	playTime = 3 * time.Minute
)

// feelPulse returns a context that ends when the database stops answering. Engines for development may do that for good, which
// says nothing about the service: the test then ends soon and with one line that says so.
func feelPulse(t *testing.T) context.Context {
	t.Helper()
	d, err := store.Open(testkit.Store("clinic_test_pulse"), zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	require.NoError(t, d.Connect(t.Context(), false))
	ctx, stop := context.WithCancelCause(context.Background()) // that of the test ends before its clean-up
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := beat(ctx, d); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("the database at %s stopped answering: nothing could be written for %s (%w)", databaseAddress(), pulseTime, err))
			}
			select {
			case <-ctx.Done():
			case <-time.After(pulseRest):
			}
		}
	}()
	t.Cleanup(func() {
		cause := context.Cause(ctx)
		stop(nil)
		<-ended
		_ = d.Close(context.Background()) //nolint:contextcheck // the one above has ended
		if cause != nil {
			t.Error(cause)
		}
	})
	return ctx
}

func beat(ctx context.Context, d *store.Database) error {
	ctx, cancel := context.WithTimeout(ctx, pulseTime)
	defer cancel()
	_, err := d.Collection("pulse").UpdateByID(ctx, 1, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}}, options.UpdateOne().SetUpsert(true))
	return err
}
