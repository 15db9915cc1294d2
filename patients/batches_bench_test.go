package patients_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
)

// BenchmarkOthersDuringATag gives a tag to everybody in a large clinic and takes it again, and meanwhile says how long somebody
// waits who edits a patient of the clinic, beside the same without the tag.
func BenchmarkOthersDuringATag(b *testing.B) {
	const size = 5000
	for _, during := range []bool{false, true} {
		name := "alone"
		if during {
			name = "during"
		}
		b.Run(name, func(b *testing.B) {
			c := newLargeClinic(b, size)
			runs(b, c.service)
			var stored []patients.Patient
			cursor, err := c.store.Collection(patients.CollectionName).Find(b.Context(), bson.D{})
			require.NoError(b, err)
			require.NoError(b, cursor.All(b.Context(), &stored))
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for given := false; during; given = !given {
					select {
					case <-stop:
						return
					default:
					}
					change := c.service.AssignTag
					if given {
						change = c.service.RemoveTag
					}
					if err := change(b.Context(), c.id, c.tag, patients.Everyone()); err != nil {
						b.Error(err)
						return
					}
				}
			}()
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				began := time.Now()
				_, err := c.service.Update(b.Context(), c.id, stored[n*7919%size].UserID, patients.Details{FullName: "Changed Name", BirthDate: "1990-01-02"})
				took = append(took, time.Since(began))
				require.NoError(b, err)
			}
			close(stop)
			<-done
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
