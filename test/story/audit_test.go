package story_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestTheTrailLosesNothingWhenTheServiceDies kills the service again and again while callers make tags: whatever was stored has
// one entry in the trail, and so has whatever was answered.
func TestTheTrailLosesNothingWhenTheServiceDies(t *testing.T) {
	deaths := kills()
	p := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_AUDIT_RETENTION": "1h"})
	answered := sync.Map{}
	for range deaths {
		clinicID, _ := p.NewClinic(t)
		ctx, end := context.WithTimeout(t.Context(), 10*time.Second)
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				for makeTag(ctx, p.URL, clinicID, &answered) {
				}
			})
		}
		before := countOf(&answered)
		require.Eventually(t, func() bool { return countOf(&answered) > before }, 10*time.Second, time.Millisecond)
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		p.Kill()
		callers.Wait()
		end()
		p.Start(t, p.Environment())
	}

	made, entries := 0, map[string]int{}
	for _, clinic := range testkit.Documents(t, p.Store, "clinics", bson.M{}) {
		for _, entry := range trailOf(t, p, clinic["_id"].(bson.ObjectID).Hex()) {
			entries[entry["requestId"].(string)]++
		}
		tags, _ := clinic["patientTags"].(bson.A)
		for _, tag := range tags {
			made++
			name, _ := tag.(bson.D)[1].Value.(string)
			require.Equal(t, 1, entries["request-"+name], "a tag that was stored")
		}
	}
	answered.Range(func(name, _ any) bool {
		require.Equal(t, 1, entries["request-"+name.(string)], "a request that was answered")
		return true
	})
	count := countOf(&answered)
	require.GreaterOrEqual(t, count, deaths)
	require.GreaterOrEqual(t, made, count)
	t.Logf("%d deaths, %d tags stored, %d answers, %d entries", deaths, made, count, len(entries))
}

func countOf(names *sync.Map) int {
	count := 0
	names.Range(func(any, any) bool { count++; return true })
	return count
}

// trailOf returns what the trail says of tags of the clinic.
func trailOf(t *testing.T, p *testkit.Process, clinicID string) []map[string]any {
	t.Helper()
	var all []map[string]any
	path := "/v1/clinics/" + clinicID + "/audit?operation=CreatePatientTag&limit=50"
	for before := ""; ; {
		page := p.Call(t, testkit.Service, http.MethodGet, path+before, nil).OK(t, http.StatusOK).Object(t)
		for _, entry := range page["entries"].([]any) {
			all = append(all, entry.(map[string]any))
		}
		next, more := page["next"].(string)
		if !more {
			return all
		}
		before = "&before=" + next
	}
}

// makeTag reports whether the service answered.
func makeTag(ctx context.Context, url, clinicID string, answered *sync.Map) bool {
	name := testkit.NewUserID()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/clinics/"+clinicID+"/patient_tags", strings.NewReader(`{"name":"`+name+`"}`))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	request.Header.Set("X-Request-Id", "request-"+name)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		answered.Store(name, true)
	}
	return true
}
