package app_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/xealth"
)

// TestWhatHappensIsCounted does each thing once and looks for it in the metrics.
func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.HTTP.MaxBodySize = 2000 }))
	clinicID, _ := app.NewClinic(t)
	clinic := "/v1/clinics/" + clinicID
	partner := func(path, header, secret, body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+path, bytes.NewReader([]byte(body)))
		require.NoError(t, err)
		request.Header.Set(header, secret)
		request.Header.Set("Content-Type", "application/json")
		app.Do(t, testkit.Nobody, request)
	}
	const verification = "verification-token"
	message := `{"Meta":{"DataModel":"Order","EventType":"New","Logs":[{"ID":"log-1"}]}}`
	for metric, happens := range map[string]func(){
		`clinic_http_bodies_refused_total{reason="invalid"}`: func() {
			app.Call(t, testkit.Service, http.MethodPost, clinic+"/patients", `{"fullName":1}`).OK(t, http.StatusBadRequest)
		},
		`clinic_http_bodies_refused_total{reason="too large"}`: func() {
			app.Call(t, testkit.Service, http.MethodPost, clinic+"/patients", `{"fullName":"`+string(bytes.Repeat([]byte("x"), 3000))+`"}`).OK(t, http.StatusRequestEntityTooLarge)
		},
		`clinic_redox_messages_total{outcome="invalid"}`: func() { partner("/v1/redox", verification, testkit.RedoxToken, "{}") },
		`clinic_redox_matches_total{outcome="no message"}`: func() {
			app.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", map[string]any{
				"messageRef": map[string]any{"documentId": bson.NewObjectID().Hex(), "dataModel": "Order", "eventType": "New"},
			}).OK(t, http.StatusNotFound)
		},
		`clinic_ehr_syncs_total{outcome="no clinic",scope="clinic"}`: func() {
			app.Call(t, testkit.Service, http.MethodPost, clinic+"/ehr/sync", nil).OK(t, http.StatusNotFound)
		},
		`clinic_ehr_syncs_total{outcome="ok",scope="patient"}`: func() {
			app.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+testkit.NewUserID()+"/ehr/sync", nil).OK(t, http.StatusAccepted)
		},
		`clinic_xealth_events_total{outcome="ignored"}`: func() {
			partner("/v1/xealth/notification", "Authorization", "Bearer "+testkit.XealthToken, `{"eventType":"visit"}`)
		},
		`clinic_census_drift_total`: func() {
			id, err := bson.ObjectIDFromHex(clinicID)
			require.NoError(t, err)
			_, err = app.Store.Collection("clinics").UpdateOne(t.Context(), bson.M{"_id": id}, bson.M{"$set": bson.M{"patientCount": bson.M{"total": 7, "demo": 0, "plan": 7}}})
			require.NoError(t, err)
			app.Call(t, testkit.Service, http.MethodPost, clinic+"/patient_count/refresh", nil).OK(t, http.StatusOK)
		},
	} {
		before := value(t, app.URL, metric)
		require.GreaterOrEqual(t, before, 0.0, "%s is there before it is needed", metric)
		happens()
		require.InDelta(t, before+1, value(t, app.URL, metric), 0, metric)
	}
	require.InDelta(t, 1, value(t, app.URL, `clinic_census_recounts_total{outcome="ok",reason="asked for"}`), 0)

	partner("/v1/redox", verification, testkit.RedoxToken, message)
	partner("/v1/redox", verification, testkit.RedoxToken, message)
	require.InDelta(t, 1, value(t, app.URL, `clinic_redox_messages_total{outcome="ok"}`), 0)
	require.InDelta(t, 1, value(t, app.URL, `clinic_redox_messages_total{outcome="delivered again"}`), 0)
	require.Zero(t, value(t, app.URL, "clinic_http_requests_in_flight"))
}

func TestReadyIsReported(t *testing.T) {
	t.Parallel()
	var health *api.Health
	app := testkit.Start(t, testkit.Populate(&health))
	require.Eventually(t, func() bool { return value(t, app.URL, "clinic_ready") == 1 }, 10*time.Second, 50*time.Millisecond)
	health.Stop()
	require.Zero(t, value(t, app.URL, "clinic_ready"))
}

func TestLoginsThatFailAreCounted(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	const metric = `clinic_token_refresh_failures_total{party="user"}`
	require.Zero(t, value(t, app.URL, metric))
	app.Standin.Fail("POST /serverlogin", standin.Fault{Status: http.StatusInternalServerError})
	app.Standin.Fail("GET /token/", standin.Fault{Status: http.StatusUnauthorized})
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics", nil)
	require.Positive(t, value(t, app.URL, metric))
}

// TestBacklogs holds the gauges that need queries.
func TestBacklogs(t *testing.T) {
	t.Parallel()
	var counts *census.Service
	var merges *merge.Service
	var events *xealth.Service
	app := testkit.Start(t, testkit.Populate(&counts, &merges, &events))
	ctx := context.Background()
	insert := func(collection string, documents ...any) {
		_, err := app.Store.Collection(collection).InsertMany(ctx, documents)
		require.NoError(t, err)
	}
	old := bson.NewObjectIDFromTimestamp(time.Now().Add(-time.Hour))

	n, age, err := counts.Backlog(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, age)
	insert(census.NotesCollectionName, bson.M{"_id": old, "clinicId": bson.NewObjectID(), "time": time.Now()}, bson.M{"clinicId": bson.NewObjectID(), "time": time.Now()})
	n, age, err = counts.Backlog(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	require.InDelta(t, time.Hour, age, float64(time.Minute))

	left, err := merges.Backlog(ctx)
	require.NoError(t, err)
	require.Equal(t, merge.Backlog{}, left)
	insert("open_merges", bson.M{"_id": old, "clinics": bson.A{bson.NewObjectID()}})
	insert("open_merge_steps", bson.M{"mergeId": old, "order": 1}, bson.M{"mergeId": old, "order": 2})
	left, err = merges.Backlog(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, left.Open)
	require.EqualValues(t, 2, left.Steps)
	require.InDelta(t, time.Hour, left.Oldest, float64(time.Minute))

	insert("xealth_order",
		bson.M{"_id": bson.NewObjectIDFromTimestamp(time.Now().Add(-48 * time.Hour))}, // of an older writer, or given up
		bson.M{"_id": bson.NewObjectIDFromTimestamp(time.Now().Add(-2 * time.Hour)), "derived": bson.M{"completedTime": time.Now()}})
	age, err = events.OldestPending(ctx)
	require.NoError(t, err)
	require.Zero(t, age)
	insert("xealth_order", bson.M{"_id": old})
	age, err = events.OldestPending(ctx)
	require.NoError(t, err)
	require.InDelta(t, time.Hour, age, float64(time.Minute))
}
