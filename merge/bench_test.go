package merge_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
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

// namesakes returns two clinics of n patients each who all have the same name.
func namesakes(n int) (source, target *merge.Workspace) {
	source, target = workspace("Source"), workspace("Target")
	for i := range n {
		for _, w := range []*merge.Workspace{source, target} {
			label := fmt.Sprint(w.Name(), i)
			w.Patients = append(w.Patients, merge.Patient{ID: id(label), UserID: label, FullName: "Test Patient", BirthDate: fmt.Sprintf("20%02d-01-02", i%100)})
		}
	}
	return source, target
}

// BenchmarkReport makes the reports of two clinics in which everybody has the same name. The time for a patient must not
// grow with n. TestReportsGrowWithThePatients guards it.
func BenchmarkReport(b *testing.B) {
	for form, report := range reports {
		for _, n := range []int{2000, 4000} {
			b.Run(fmt.Sprint(form, " ", n), func(b *testing.B) {
				source, target := namesakes(n)
				for b.Loop() {
					require.Positive(b, report(b, planOf(source, target)))
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*2*n), "µs/patient")
			})
		}
	}
}

// reports are the forms of the report. They return its size.
var reports = map[string]func(t testing.TB, p *merge.Plan) int{
	"JSON": func(t testing.TB, p *merge.Plan) int {
		text, err := json.Marshal(p.Report())
		require.NoError(t, err)
		return len(text)
	},
	"workbook": func(t testing.TB, p *merge.Plan) int {
		workbook, err := p.Workbook(time.Now())
		require.NoError(t, err)
		return workbook.Len()
	},
}

// TestReportsGrowWithThePatients compares what the reports of n and of 2n patients of the same name take. Memory is compared
// in place of time, which a busy machine would spoil.
func TestReportsGrowWithThePatients(t *testing.T) { // it counts what is allocated meanwhile
	for form, report := range reports {
		t.Run(form, func(t *testing.T) {
			grows := func(n int) (size, allocated float64) {
				source, target := namesakes(n)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				size = float64(report(t, planOf(source, target)))
				runtime.ReadMemStats(&after)
				return size, float64(after.TotalAlloc - before.TotalAlloc)
			}
			size, allocated := grows(500)
			doubleSize, doubleAllocated := grows(1000)
			t.Logf("twice the patients: %.2f times the size, %.2f times the memory", doubleSize/size, doubleAllocated/allocated)
			require.Less(t, doubleSize/size, 2.5)
			require.Less(t, doubleAllocated/allocated, 2.5)
		})
	}
}
