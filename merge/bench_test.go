package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// BenchmarkMerge merges two clinics of n patients each. The time for a patient must not grow with n.
func BenchmarkMerge(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for i := range b.N {
				b.StopTimer()
				d := testkit.Database(b)
				c := newCrowd(b, d, fmt.Sprint(i), n)
				source, err := bson.ObjectIDFromHex(c.source)
				require.NoError(b, err)
				target, err := bson.ObjectIDFromHex(c.target)
				require.NoError(b, err)
				b.StartTimer()
				require.NoError(b, service(d).Merge(b.Context(), source, target))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*2*n), "µs/patient")
		})
	}
}
