package faults_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// TestASilentDatabaseIsGivenUpInTime: the network swallows what is sent to the database. Callers get an error before their
// gateway gives up, and when the network is back, so is the service.
func TestASilentDatabaseIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	const gateway = 16 * time.Second
	proxy, err := wire.Start(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	service := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Store.Addresses = proxy.Address()
	}))
	clinicID, adminID := service.NewClinic(t)
	patient := service.NewPatient(t, clinicID, "Pat Test", nil)["id"].(string)
	clinic := "/v1/clinics/" + clinicID
	calls := []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, clinic, nil},
		{http.MethodGet, clinic + "/patients", nil},
		{http.MethodGet, clinic + "/patients/" + patient, nil},
		{http.MethodPost, "/v1/clinics", map[string]any{"name": "Other", "preferredBgUnits": "mg/dL"}},
		{http.MethodPost, clinic + "/patients", map[string]any{"fullName": "Ann Test", "birthDate": "1990-05-06"}},
		{http.MethodPut, clinic + "/patients/" + patient, map[string]any{"fullName": "Pat Other", "birthDate": "1990-05-06"}},
		{http.MethodDelete, clinic + "/patients/" + patient, nil},
		{http.MethodPost, clinic + "/patient_tags", map[string]any{"name": "tag"}},
		{http.MethodPost, clinic + "/patient_count/refresh", nil},
		{http.MethodPost, "/v1/clinics/" + clinicID + "/clinicians", map[string]any{"id": testkit.NewUserID(), "email": "x@example.com", "roles": []string{"CLINIC_MEMBER"}}},
	}
	proxy.Silence()
	var callers sync.WaitGroup
	for range 2 { // the second time, the connections are known to be dead
		for _, call := range calls {
			callers.Go(func() {
				caller := testkit.Service
				if call.path == "/v1/clinics" && call.method == http.MethodPost {
					caller = testkit.User(adminID)
				}
				start := time.Now()
				answer := service.Call(t, caller, call.method, call.path, call.body)
				if took := time.Since(start); took > gateway || answer.Status < 500 {
					t.Errorf("%s %s: %d after %s", call.method, call.path, answer.Status, took)
				}
			})
		}
		callers.Wait()
	}
	proxy.Speak()
	start := time.Now()
	require.Equal(t, http.StatusOK, service.Call(t, testkit.Service, http.MethodGet, clinic, nil).Status)
	require.Equal(t, http.StatusOK, service.Call(t, testkit.Service, http.MethodGet, clinic+"/patients", nil).Status)
	require.Less(t, time.Since(start), 5*time.Second)
}
