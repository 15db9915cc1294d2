package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// BenchmarkSmallRequests says what requests about one document allocate, caller and stand-in included, and how many times they
// go to the database and to neighbours. The background of the service makes a round trip now and then, too.
func BenchmarkSmallRequests(b *testing.B) {
	app := testkit.Start(b)
	clinicID, adminID := app.NewClinic(b)
	clinic := "/v1/clinics/" + clinicID
	tag := func(name string) string {
		id, _ := app.Call(b, testkit.Service, http.MethodPost, clinic+"/patient_tags", map[string]any{"name": name}).OK(b, http.StatusOK).Object(b)["id"].(string)
		return id
	}
	tags := []string{tag("A"), tag("B")}
	patientID, _ := app.NewPatient(b, clinicID, "Patient", map[string]any{"mrn": "1234", "tags": tags[:1]})["id"].(string)
	patient := clinic + "/patients/" + patientID
	change := func(tag func(n int) string) func(n int) any {
		return func(n int) any {
			return map[string]any{"fullName": fmt.Sprint("Changed ", n), "birthDate": "1990-05-06", "mrn": "1234", "tags": []string{tag(n)}}
		}
	}
	for _, request := range []struct {
		name, method, path string
		caller             testkit.Caller
		body               func(n int) any
	}{
		{"get patient", http.MethodGet, patient, testkit.Service, nil},
		{"get clinic", http.MethodGet, clinic, testkit.Service, nil},
		{"find by MRN", http.MethodGet, "/v1/patients?mrn=1234", testkit.User(adminID), nil},
		{"update patient, same lists", http.MethodPut, patient, testkit.Service, change(func(int) string { return tags[0] })},
		{"update patient, another tag", http.MethodPut, patient, testkit.Service, change(func(n int) string { return tags[n%2] })},
		{"post summary", http.MethodPost, "/v1/patients/" + patientID + "/summary", testkit.Service, func(int) any { return `{"cgmStats":{"id":"1"}}` }},
		{"Redox intake", http.MethodPost, "/v1/redox", testkit.Nobody, func(n int) any {
			return fmt.Sprintf(`{"Meta":{"DataModel":"Order","EventType":"New","Logs":[{"ID":"log-%s-%d"}]}}`, bson.NewObjectID().Hex(), n)
		}},
	} {
		b.Run(request.name, func(b *testing.B) {
			b.ReportAllocs()
			trips, calls, n := commands(b, app.URL), app.Standin.Count(), 0
			for b.Loop() {
				n++
				if request.method == http.MethodPut {
					b.StopTimer()
					leaveAlone(b, app, patientID)
					b.StartTimer()
				}
				var body any
				if request.body != nil {
					body = request.body(n)
				}
				sendTo(b, app, request.caller, request.method, request.path, body)
			}
			b.ReportMetric((commands(b, app.URL)-trips)/float64(n), "trips/op")
			b.ReportMetric(float64(app.Standin.Count()-calls)/float64(n), "calls/op")
		})
	}
}

// leaveAlone makes a patient one who was last changed a while ago, as most patients are who are edited.
func leaveAlone(b *testing.B, app *testkit.App, userID string) {
	b.Helper()
	_, err := app.Store.Collection("patients").UpdateOne(b.Context(), bson.M{"userId": userID}, bson.M{"$set": bson.M{"updatedTime": time.Now().Add(-time.Hour)}})
	require.NoError(b, err)
}

func sendTo(b *testing.B, app *testkit.App, caller testkit.Caller, method, path string, body any) {
	b.Helper()
	if caller != testkit.Nobody {
		app.Call(b, caller, method, path, body).OK(b, http.StatusOK)
		return
	}
	text, _ := body.(string)
	request, err := http.NewRequestWithContext(b.Context(), method, app.URL+path, bytes.NewReader([]byte(text)))
	require.NoError(b, err)
	request.Header.Set("Verification-Token", testkit.RedoxToken)
	request.Header.Set("Content-Type", "application/json")
	app.Do(b, caller, request).OK(b, http.StatusOK)
}

// commands returns how many commands the database was sent so far.
func commands(b *testing.B, url string) float64 {
	b.Helper()
	answer, err := http.Get(url + "/metrics")
	require.NoError(b, err)
	defer answer.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(answer.Body)
	require.NoError(b, err)
	sum, found := 0.0, false
	for line := range strings.Lines(text.String()) {
		name, count, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(name, "clinic_database_operation_duration_seconds_count{") {
			n, err := strconv.ParseFloat(count, 64)
			require.NoError(b, err)
			sum, found = sum+n, true
		}
	}
	require.True(b, found, "the metric of commands has another name")
	return sum
}
