package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// BenchmarkProcessEHRMessage sends messages over HTTP. Compare it with BenchmarkIntake of package redox, which has the same
// without HTTP, and the bare driver.
func BenchmarkProcessEHRMessage(b *testing.B) {
	app := testkit.Start(b)
	filling := strings.Repeat("x", 1500)
	var serial atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.SetParallelism(4) // for each core
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := `{"Meta":{"DataModel":"Order","EventType":"New","Logs":[{"ID":"log-` + strconv.FormatInt(serial.Add(1), 10) + `"}]},"Order":{"ID":"` + filling + `"}}`
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, app.URL+"/v1/redox", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			request.Header.Set("verification-token", testkit.RedoxToken)
			answer, err := client.Do(request)
			if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK {
				b.Error(err, answer)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "messages/s")
}
