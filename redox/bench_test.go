package redox_test

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
)

// BenchmarkIntake compares what it takes to receive a message with the bare driver inserting the same document. The ratio
// of the two rates of messages a second says what the service adds.
func BenchmarkIntake(b *testing.B) {
	body, err := os.ReadFile("testdata/order.json")
	require.NoError(b, err)
	d := testkit.Database(b)
	service := newService(d)
	require.NoError(b, service.Receive(b.Context(), body))
	collection := d.Collection(redox.MessagesCollectionName)
	var document bson.D
	require.NoError(b, collection.FindOne(b.Context(), bson.D{}).Decode(&document))

	var bare float64
	b.Run("driver", func(b *testing.B) {
		bare = inParallel(b, func(ctx context.Context) error {
			_, err := collection.InsertOne(ctx, append(bson.D{{Key: "_id", Value: bson.NewObjectID()}}, document[1:]...))
			return err
		})
	})
	var serial atomic.Int64
	b.Run("service", func(b *testing.B) {
		rate := inParallel(b, func(ctx context.Context) error {
			// Each delivery has a log id of its own, as at Redox.
			return service.Receive(ctx, withLogID(body, serial.Add(1)))
		})
		if bare > 0 {
			b.ReportMetric(rate/bare, "of-driver")
		}
	})
}

// inParallel reports and returns how often the work is done in a second.
func inParallel(b *testing.B, work func(ctx context.Context) error) float64 {
	b.Helper()
	b.SetParallelism(4) // for each core
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := work(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	rate := float64(b.N) / time.Since(start).Seconds()
	b.ReportMetric(rate, "messages/s")
	return rate
}

// withLogID replaces the log id of the sample order.
func withLogID(body []byte, serial int64) []byte {
	return bytes.Replace(body, []byte(`"log-1"`), []byte(`"log-`+strconv.FormatInt(serial, 10)+`-of-many"`), 1)
}
