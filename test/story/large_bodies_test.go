package story_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestLargeBodiesAtOnce sends 64 bodies of 16 MiB at the same time, as a signed-in user and as Redox, with and without telling
// their size first, to the service as it is deployed.
func TestLargeBodiesAtOnce(t *testing.T) {
	if os.Getenv("CLINIC_LONG_TESTS") == "" {
		t.Skip("bodies of a gigabyte take a while and are not sent now: set CLINIC_LONG_TESTS=1, or run `make test-long`")
	}
	const (
		atOnce = 64
		size   = 16 << 20
	)
	for name, test := range map[string]struct {
		method, path string
		body         string // what comes before the filling
		header       http.Header
		chunked      bool
		allowed      []int
	}{
		"a patient, declared":   {method: http.MethodPost, path: "/patients", body: `{"birthDate":"1990-05-06","fullName":"`, allowed: []int{413, 503}},
		"a patient, undeclared": {method: http.MethodPost, path: "/patients", body: `{"birthDate":"1990-05-06","fullName":"`, chunked: true, allowed: []int{413, 503}},
		"a clinic, undeclared":  {method: http.MethodPut, body: `{"preferredBgUnits":"mg/dL","name":"`, chunked: true, allowed: []int{413, 503}},
		"an order of Redox, declared": {
			method: http.MethodPost, path: "redox", header: http.Header{"Verification-Token": {testkit.RedoxToken}},
			body: `{"Meta":{"DataModel":"Order","EventType":"New"},"Filling":"`, allowed: []int{200, 413, 503},
		},
		"an order of Redox, undeclared": {
			method: http.MethodPost, path: "redox", header: http.Header{"Verification-Token": {testkit.RedoxToken}}, chunked: true,
			body: `{"Meta":{"DataModel":"Order","EventType":"New"},"Filling":"`, allowed: []int{200, 413, 503},
		},
	} {
		t.Run(name, func(t *testing.T) {
			service := testkit.Run(t, map[string]string{"GOMEMLIMIT": "900MiB"})
			clinicID, adminID := service.NewClinic(t)
			address := service.URL + "/v1/clinics/" + clinicID + test.path
			if test.header != nil {
				address = service.URL + "/v1/" + test.path
			}
			before := service.PeakMemory(t)
			var calls sync.WaitGroup
			for range atOnce {
				calls.Go(func() {
					end := `"}`
					filling := io.LimitReader(endless{}, int64(size-len(test.body)-len(end)))
					request, err := http.NewRequestWithContext(t.Context(), test.method, address, io.MultiReader(strings.NewReader(test.body), filling, strings.NewReader(end)))
					if err != nil {
						t.Error(err)
						return
					}
					if !test.chunked {
						request.ContentLength = size
					}
					request.Header = test.header.Clone()
					if request.Header == nil {
						request.Header = http.Header{"X-Tidepool-Session-Token": {string(testkit.User(adminID))}}
					}
					request.Header.Set("Content-Type", "application/json")
					request.Header.Set("Expect", "100-continue")
					answer, err := http.DefaultClient.Do(request)
					if err != nil {
						return // the service ended the connection
					}
					defer func() { _ = answer.Body.Close() }()
					content, _ := io.ReadAll(answer.Body)
					for _, status := range test.allowed {
						if answer.StatusCode == status {
							return
						}
					}
					t.Errorf("%d %s", answer.StatusCode, content)
				})
			}
			calls.Wait()
			peak := service.PeakMemory(t)
			t.Logf("%s: %d MB before, %d MB at most", name, before>>20, peak>>20)
			most := 300 << 20
			if test.header != nil { // whose bodies are read, two at a time
				most = 400 << 20
			}
			require.Less(t, peak, most)
			service.Call(t, testkit.User(adminID), http.MethodGet, "/v1/clinics/"+clinicID, nil).OK(t, http.StatusOK)
		})
	}
}

// endless is a text without an end.
type endless struct{}

func (endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'x'
	}
	return len(into), nil
}
