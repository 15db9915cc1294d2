package app_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// BenchmarkAudit says what the audit trail adds to requests of eight callers at a time, caller and stand-in included.
func BenchmarkAudit(b *testing.B) {
	for _, retention := range []time.Duration{0, time.Hour} {
		app := testkit.Start(b, testkit.Configure(func(c *config.Config) { c.Audit.Retention, c.Audit.Reads = retention, true }))
		clinicID, _ := app.NewClinic(b)
		patientID, _ := app.NewPatient(b, clinicID, "Patient", nil)["id"].(string)
		patients := make([]string, 64)
		for i := range patients {
			patients[i], _ = app.NewPatient(b, clinicID, "Patient", nil)["id"].(string)
		}
		name := "without"
		if retention > 0 {
			name = "with"
		}
		var number atomic.Int64
		for operation, send := range map[string]func(){
			"get patient": func() {
				app.Call(b, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID+"/patients/"+patientID, nil).OK(b, http.StatusOK)
			},
			"update patient": func() {
				n := number.Add(1)
				app.Call(b, testkit.Service, http.MethodPut, "/v1/clinics/"+clinicID+"/patients/"+patients[n%64],
					map[string]any{"fullName": fmt.Sprint("Changed ", n), "birthDate": "1990-05-06"}).OK(b, http.StatusOK)
			},
			"post summary": func() {
				app.Call(b, testkit.Service, http.MethodPost, "/v1/patients/"+patients[number.Add(1)%64]+"/summary",
					`{"cgmStats":{"id":"1"}}`).OK(b, http.StatusOK)
			},
		} {
			b.Run(operation+" "+name, func(b *testing.B) {
				b.SetParallelism(4)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						send()
					}
				})
			})
		}
	}
}
