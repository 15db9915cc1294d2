package api_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestPatientPagesAreCompressed(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, _ := app.NewClinic(t)
	for i := range 40 {
		app.NewPatient(t, clinicID, fmt.Sprintf("Patient %d %s", i, strings.Repeat("long name ", 20)), nil)
	}
	path := "/v1/clinics/" + clinicID + "/patients?limit=40"
	plain := app.Call(t, testkit.Service, http.MethodGet, path, nil) // the client unpacks by itself
	require.Greater(t, len(plain.Body), 16<<10)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, app.URL+path, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Encoding", "gzip")
	packed := app.Do(t, testkit.Service, request).OK(t, http.StatusOK)
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"))
	require.Less(t, len(packed.Body), len(plain.Body)/4)
	reader, err := gzip.NewReader(strings.NewReader(string(packed.Body)))
	require.NoError(t, err)
	var fromPacked, fromPlain any
	require.NoError(t, json.NewDecoder(reader).Decode(&fromPacked))
	require.NoError(t, json.Unmarshal(plain.Body, &fromPlain))
	require.Equal(t, fromPlain, fromPacked)
}
