package story_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// send makes a call with a header.
func send(t *testing.T, a *testkit.App, caller testkit.Caller, method, path string, body any, name, value string) testkit.Response {
	t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, a.URL+path, bytes.NewReader(encoded))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(name, value)
	return a.Do(t, caller, request)
}

// TestNobodyOverwritesAnybody: colleagues add one to the same number, each as they read it, at two replicas. None is lost.
func TestNobodyOverwritesAnybody(t *testing.T) {
	t.Parallel()
	const colleagues, additions = 6, 4
	first := testkit.Run(t, nil)
	replicas := [2]*testkit.Process{first, first.Replica(t)}
	clinicID, ada := first.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/patients/" + first.NewPatient(t, clinicID, "0", map[string]any{"email": "bea@example.com"})["id"].(string)
	var calls sync.WaitGroup
	for i := range colleagues {
		calls.Go(func() {
			at := &replicas[i%2].App
			for added := 0; added < additions; {
				read := at.Call(t, testkit.User(ada), http.MethodGet, path, nil).OK(t, http.StatusOK)
				row := read.Object(t)
				n, err := strconv.Atoi(row["fullName"].(string))
				require.NoError(t, err)
				row["fullName"], row["mrn"] = strconv.Itoa(n+1), "M-1"
				switch put := send(t, at, testkit.User(ada), http.MethodPut, path, row, "If-Match", read.Header.Get("ETag")); put.Status {
				case http.StatusOK:
					added++
				case http.StatusPreconditionFailed:
					require.Equal(t, "precondition_failed", put.Object(t)["reason"])
				default: // two with the same number at once
					require.Contains(t, []int{http.StatusConflict, http.StatusServiceUnavailable}, put.Status, string(put.Body))
				}
			}
		})
	}
	calls.Wait()
	whole := first.Call(t, testkit.User(ada), http.MethodGet, path, nil).OK(t, http.StatusOK)
	require.Equal(t, strconv.Itoa(colleagues*additions), whole.Object(t)["fullName"])
	tag := whole.Header.Get("ETag")
	require.True(t, strings.HasPrefix(tag, `"`))
	require.Empty(t, send(t, &replicas[1].App, testkit.User(ada), http.MethodGet, path, nil, "If-None-Match", tag).OK(t, http.StatusNotModified).Body)
}
