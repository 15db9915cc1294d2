package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// FuzzUpdatePatientSummary posts bodies to a patient. Whatever comes in, it is accepted or refused as the caller's fault,
// and the patient can be read afterwards. Seeds are here and in testdata/fuzz.
func FuzzUpdatePatientSummary(f *testing.F) {
	for _, body := range []any{summaryBody("0a", ""), summaryBody("", "0b"), summaryBody("0a", "0b"), map[string]any{}} {
		seed, err := json.Marshal(body)
		require.NoError(f, err)
		f.Add(seed)
	}
	app := testkit.Start(f)
	clinicID, _ := app.NewClinic(f)
	id := app.NewPatient(f, clinicID, "Ann", nil)["id"].(string)
	f.Fuzz(func(t *testing.T, body []byte) {
		answer := app.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+id+"/summary", string(body))
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, answer.Status, string(answer.Body))
		app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID+"/patients/"+id, nil).OK(t, http.StatusOK)
	})
}
