package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
)

func TestClinicsAreSeededOnce(t *testing.T) {
	t.Parallel()
	d, ctx := testkit.Database(t), t.Context()
	s := settings{clinics: 2, patients: 230, callers: 3}
	stored := func(c *stage) (mrns []string) {
		t.Helper()
		require.NoError(t, d.Collection(patients.CollectionName).Distinct(ctx, "mrn", bson.D{{Key: "clinicId", Value: c.clinicID}}).Decode(&mrns))
		return mrns
	}
	mark := bson.D{{Key: "$set", Value: bson.D{{Key: "mrn", Value: "marked"}}}}
	stages, err := seed(ctx, d, s)
	require.NoError(t, err)
	require.Len(t, stored(stages[0]), 230)
	require.Len(t, stored(stages[1]), 230)
	for _, c := range stages {
		_, err := d.Collection(patients.CollectionName).UpdateOne(ctx, bson.D{{Key: "clinicId", Value: c.clinicID}}, mark)
		require.NoError(t, err)
	}
	_, err = d.Collection(patients.CollectionName).DeleteOne(ctx, bson.D{{Key: "clinicId", Value: stages[1].clinicID}, {Key: "mrn", Value: "MRN-0000459"}})
	require.NoError(t, err)

	again, err := seed(ctx, d, s)
	require.NoError(t, err)
	require.Equal(t, stages[1].tags, again[1].tags)
	require.Contains(t, stored(again[0]), "marked", "what is there whole stays")
	require.Len(t, stored(again[1]), 230)
	require.NotContains(t, stored(again[1]), "marked", "half a clinic is made anew")
	count, err := d.Collection(clinics.CollectionName).CountDocuments(ctx, bson.D{})
	require.NoError(t, err)
	require.EqualValues(t, 2, count)
}

func TestClinicsHaveTheSamePatientsUnderOtherIDs(t *testing.T) {
	t.Parallel()
	one, other := numberedStage(0, 100), numberedStage(1, 100)
	require.NotEqual(t, one.adminID, other.adminID)
	require.NotContains(t, other.tags, one.tags[0])
	for n := range 100 {
		a, b := one.maker.patient(one.first+n), other.maker.patient(other.first+n)
		require.NotEqual(t, a.ID, b.ID)
		require.NotEqual(t, a.UserID, b.UserID)
		require.Equal(t, a.DiagnosisType, b.DiagnosisType)
		require.Equal(t, a.Summary == nil, b.Summary == nil)
		if a.Summary != nil {
			require.Equal(t, a.Summary.CGMStats.Periods, b.Summary.CGMStats.Periods)
		}
	}
}

func TestPagesOfAllClinicsAreCalledInTurns(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	calls := map[string]int{}
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls[strings.Split(r.URL.Path, "/")[3]]++
	}))
	defer service.Close()
	stages := []*stage{numberedStage(0, 20), numberedStage(1, 20), numberedStage(2, 20)}
	b := &bench{stage: stages[0], url: service.URL, client: service.Client()}
	results, err := measureClinics(t.Context(), settings{callers: 2}, b, stages, os.Getpid())
	require.NoError(t, err)
	require.Len(t, results, len(b.pages()))
	require.Equal(t, "3 clinics: first page", results[0].Operation)
	require.Len(t, calls, 3)
	for _, stage := range stages {
		require.Equal(t, len(results), calls[stage.clinicID.Hex()], "no time, so each clinic once")
	}
	results, err = measureClinics(t.Context(), settings{callers: 2}, b, stages[:1], os.Getpid())
	require.NoError(t, err)
	require.Empty(t, results, "one clinic is measured already")
}

func TestMemoryOfAProcess(t *testing.T) {
	t.Parallel()
	require.Equal(t, &held{Resident: 102.4, Peak: 204.8}, readHeld("Name:\tclinic\nVmPeak:\t 999 kB\nVmHWM:\t  200000 kB\nVmRSS:\t  100000 kB\nThreads:\t9\n"))
	require.Nil(t, readHeld("Name:\tclinic\nVmRSS:\t  100000 kB\n"))
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no /proc")
	}
	require.Greater(t, heldBy(os.Getpid()).Peak, 1.0)
	require.Nil(t, heldBy(-1))
}

func TestStartIsTimedToTheFirstAnswerAndToReadiness(t *testing.T) {
	t.Parallel()
	var asked []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if len(asked) < 4 {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer service.Close()
	s, err := awaitReady(t.Context(), service.URL, time.Now().Add(-time.Second))
	require.NoError(t, err)
	require.Equal(t, []string{"/live", "/ready", "/ready", "/ready"}, asked)
	require.Greater(t, s.Answers, 1000.0)
	require.Greater(t, s.Ready, s.Answers)

	ended, end := context.WithCancel(t.Context())
	end()
	_, err = awaitReady(ended, service.URL, time.Now())
	require.ErrorIs(t, err, context.Canceled)
	_, err = awaitReady(t.Context(), service.URL, time.Now().Add(-startLimit))
	require.ErrorContains(t, err, "does not get ready")
}

func TestProgressIsToldNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := newProgress(&out, "clinic 2 of 3", 1000, 5*time.Second)
		for range 10 {
			time.Sleep(2 * time.Second)
			p.add(100)
		}
		require.Equal(t, `load: clinic 2 of 3: 300 of 1000 patients are stored, after 6s
load: clinic 2 of 3: 600 of 1000 patients are stored, after 12s
load: clinic 2 of 3: 900 of 1000 patients are stored, after 18s
load: clinic 2 of 3: 1000 of 1000 patients are stored, after 20s
`, out.String())
	})
}

func TestHintThatTheEngineRefusesIsLeftOut(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	b := newBench(numberedStage(0, 1), "", d, 1)
	q := query{filter: bson.D{{Key: "clinicId", Value: b.clinicID}}, sort: bson.D{{Key: "_id", Value: 1}}, hint: "NoSuchIndex"}
	page := b.page(q)
	require.NoError(t, page(t.Context(), 0))
	require.NoError(t, page(t.Context(), 1))
}
