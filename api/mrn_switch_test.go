package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// TestARuleForNumbersHoldsForWhatIsOnItsWay switches a rule on while requests that began before it wait for the account of their
// patient. Of those that break the rule, none comes through.
func TestARuleForNumbersHoldsForWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	spellings := []string{"Éa-1", "ea-1", "EA-1"}
	tests := map[string]struct {
		rule  map[string]any
		begin func(r *mrnRace)
		want  map[int]int // statuses, and how often
	}{
		"unique, new patients": {
			rule: map[string]any{"unique": true, "required": false}, want: map[int]int{http.StatusOK: 1, http.StatusBadRequest: 2},
			begin: func(r *mrnRace) {
				for _, mrn := range spellings {
					r.send(http.MethodPost, "/patients", map[string]any{"fullName": "New", "birthDate": "1990-05-06", "mrn": mrn})
				}
			},
		},
		"unique, changed numbers": {
			rule: map[string]any{"unique": true, "required": false}, want: map[int]int{http.StatusOK: 1, http.StatusBadRequest: 2},
			begin: func(r *mrnRace) {
				for i, mrn := range spellings {
					r.send(http.MethodPut, "/patients/"+r.there[i], map[string]any{"fullName": "Changed", "birthDate": "1990-05-06", "mrn": mrn})
				}
			},
		},
		"required, new patients": {
			rule: map[string]any{"unique": false, "required": true}, want: map[int]int{http.StatusOK: 1, http.StatusBadRequest: 1},
			begin: func(r *mrnRace) {
				r.send(http.MethodPost, "/patients", map[string]any{"fullName": "New", "birthDate": "1990-05-06"})
				r.send(http.MethodPost, "/patients", map[string]any{"fullName": "New", "birthDate": "1990-05-06", "mrn": "n-1"})
			},
		},
		"required, numbers that go": {
			rule: map[string]any{"unique": false, "required": true}, want: map[int]int{http.StatusBadRequest: 1},
			begin: func(r *mrnRace) {
				r.send(http.MethodPut, "/patients/"+r.there[0], map[string]any{"fullName": "Changed", "birthDate": "1990-05-06"})
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMRNRace(t)
			before := len(testkit.Documents(t, r.Store, "patients", bson.M{}))
			r.Standin.Fail("POST "+r.path, standin.Fault{Delay: 3 * time.Second})
			r.Standin.Fail("PUT /user", standin.Fault{Delay: 3 * time.Second})
			test.begin(r)
			require.Eventually(t, func() bool { return r.Standin.Count("POST "+r.path, "PUT /user") == r.sent }, 20*time.Second, 10*time.Millisecond)
			r.Call(t, testkit.Service, http.MethodPut, r.path+"/settings/mrn", test.rule).OK(t, http.StatusOK)
			r.calls.Wait()
			require.Equal(t, test.want, r.statuses)

			stored := testkit.Documents(t, r.Store, "patients", bson.M{})
			news := 0
			numbers := map[string]bool{}
			for _, patient := range stored {
				mrn, _ := patient["mrn"].(string)
				if patient["fullName"] == "New" {
					news++
				}
				if test.rule["required"] == true {
					require.NotEmpty(t, mrn)
				} else if len(mrn) >= len("ea-1") && mrn[len(mrn)-2:] == "-1" {
					require.False(t, numbers["ea-1"], "two patients have spellings of one number")
					numbers["ea-1"] = true
				}
			}
			require.Equal(t, before+news, len(stored))
			count := r.Call(t, testkit.Service, http.MethodGet, r.path+"/patient_count", nil).OK(t, http.StatusOK).Object(t)
			require.InDelta(t, len(stored), count["total"], 0)
		})
	}
}

// mrnRace is a clinic without rules, and requests to it.
type mrnRace struct {
	*testkit.App

	t        *testing.T
	path     string
	there    []string // patients
	sent     int
	calls    sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
}

func newMRNRace(t *testing.T) *mrnRace {
	t.Helper()
	r := &mrnRace{App: testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Platform.CallTimeout = 20 * time.Second })), t: t, statuses: map[int]int{}}
	clinicID, _ := r.NewClinic(t)
	r.path = "/v1/clinics/" + clinicID
	for i := range 3 {
		r.there = append(r.there, r.NewPatient(t, clinicID, "There", map[string]any{"mrn": fmt.Sprint("there ", i)})["id"].(string))
	}
	r.Standin.ForgetCalls()
	return r
}

func (r *mrnRace) send(method, path string, body any) {
	r.sent++
	r.calls.Go(func() {
		answer := r.Call(r.t, testkit.Service, method, r.path+path, body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.statuses[answer.Status]++
	})
}
