package roster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// benchmarkSizesVariable says how many patients the clinics of BenchmarkTables have, separated by commas.
const benchmarkSizesVariable = "CLINIC_BENCH_PATIENTS"

// BenchmarkTables shows how pages that a table chooses grow with the clinic, what the first request costs, what a patient takes in memory, and
// what a pass over the rows costs alone, without the database.
func BenchmarkTables(b *testing.B) {
	sizes := "1000"
	if wanted := os.Getenv(benchmarkSizesVariable); wanted != "" {
		sizes = wanted
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		require.NoError(b, err)
		d := testkit.Database(b)
		clinicID := fill(b, d, n)
		b.Run(size, func(b *testing.B) { benchmarkClinic(b, d, clinicID, n) })
	}
}

func benchmarkClinic(b *testing.B, d *store.Database, clinicID bson.ObjectID, n int) {
	pages := []struct {
		name       string
		parameters map[string][]string
		offset     int
	}{
		{"search", map[string][]string{"search": {"son 7"}}, 0},
		{"people", map[string][]string{"search": {"son 7"}, "searchMode": {"people"}}, 0},
		{"deep page", nil, n / 2},
		{"tag and time in range", map[string][]string{"tags": {tagA.Hex()}, "cgm.timeInTargetPercent": {"<0.5"}, "sort": {"-lastData"}, "sortType": {"cgm"}}, 0},
		{"no index", map[string][]string{"sort": {"-standardDeviation"}, "sortType": {"cgm"}}, 0},
	}
	for _, page := range pages {
		b.Run(page.name, func(b *testing.B) {
			lists := roster.NewService(d)
			first := once(b, func() { show(b, lists, clinicID, page.parameters, page.offset) })
			for b.Loop() {
				show(b, lists, clinicID, page.parameters, page.offset)
			}
			report(b, lists, n, first)
		})
	}
	b.Run("report", func(b *testing.B) {
		lists := roster.NewService(d)
		query := roster.TideQuery{ClinicID: clinicID, Period: "14d", Tags: allOf(tagA), Cutoff: someTime}
		tide := func() {
			_, err := lists.Tide(b.Context(), query)
			require.NoError(b, err)
		}
		first := once(b, tide)
		for b.Loop() {
			tide()
		}
		report(b, lists, n, first)
	})
}

func once(b *testing.B, call func()) time.Duration {
	b.Helper()
	began := time.Now()
	call()
	return time.Since(began)
}

func show(b *testing.B, lists *roster.Service, clinicID bson.ObjectID, parameters map[string][]string, offset int) {
	b.Helper()
	query, err := roster.ParseQuery(parameters, store.Page{Offset: offset, Limit: 50})
	require.NoError(b, err)
	list, err := lists.List(b.Context(), clinicID, query)
	require.NoError(b, err)
	for _, err := range list.Rows {
		require.NoError(b, err)
	}
}

func report(b *testing.B, lists *roster.Service, n int, first time.Duration) {
	b.Helper()
	_, _, estimated := lists.TableSizes()
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	lists.ForgetTables()
	runtime.GC()
	runtime.ReadMemStats(&without)
	b.ReportMetric(float64(first.Milliseconds()), "ms-first")
	b.ReportMetric(float64(estimated)/float64(n), "estimated-B/patient")
	b.ReportMetric(float64(int64(with.HeapAlloc)-int64(without.HeapAlloc))/float64(n), "heap-B/patient")
}

// fill stores patients whose records are as large as those of full summaries.
func fill(b *testing.B, d *store.Database, n int) bson.ObjectID {
	b.Helper()
	clinicID := bson.NewObjectID()
	random := rand.New(rand.NewPCG(5, 6))
	ballast := make([]byte, 18_000)
	for i := range ballast {
		ballast[i] = byte(random.IntN(256))
	}
	for done := 0; done < n; done += 500 {
		var documents []any
		for i := done; i < min(done+500, n); i++ {
			documents = append(documents, bson.M{
				"clinicId": clinicID, "userId": fmt.Sprintf("%010x", i), "fullName": fmt.Sprintf("%c%c Person %d", 'A'+i%26, 'a'+i%25, i),
				"birthDate": "1990-01-01", "email": fmt.Sprintf("p%d@example.com", i), "mrn": strconv.Itoa(i), "updatedTime": store.Now().Add(-24 * time.Hour),
				"tags": choose(random, bson.A{tagA}, bson.A{tagB}, bson.A{}), "ballast": ballast,
				"summary": bson.M{"cgmStats": bson.M{
					"id": "x", "dates": bson.M{"lastData": someTime.Add(time.Duration(i) * time.Minute), "hasLastData": true},
					"periods": bson.M{"14d": bson.M{"timeInTargetPercent": random.Float64(), "hasTimeInTargetPercent": true,
						"standardDeviation": random.Float64(), "timeCGMUsePercent": random.Float64()}},
				}},
			})
		}
		_, err := d.Collection(patients.CollectionName).InsertMany(b.Context(), documents)
		require.NoError(b, err)
	}
	return clinicID
}
