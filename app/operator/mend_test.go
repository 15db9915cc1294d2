package operator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
)

// writes keeps what Xealth was asked to order.
type writes struct {
	mu       sync.Mutex
	paths    []string
	requests []map[string]any
}

// xealth returns the address of a Xealth that refuses the patient with the MRN "no".
func (w *writes) xealth(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		var body map[string]any
		if json.NewDecoder(r.Body).Decode(&body) != nil || r.Header.Get("Authorization") == "" {
			response.WriteHeader(http.StatusTeapot)
			return
		}
		w.paths, w.requests = append(w.paths, r.URL.Path), append(w.requests, body)
		if body["patientId"].(map[string]any)["id"] == "no" {
			response.WriteHeader(http.StatusConflict)
			_, _ = response.Write([]byte("already enrolled"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

var xealthSettings = map[string]any{
	"provider": "xealth", "sourceId": "deployment", "mrnIdType": "EMPI", "procedureCodes": map[string]any{"createAccountAndEnableReports": "program"},
}

func newXealthDesk(t *testing.T, settings map[string]any) (*desk, *writes) {
	t.Helper()
	d, sent := newDesk(t, settings), &writes{}
	d.config.Xealth.BaseURL = sent.xealth(t)
	for mrn, subscriptions := range map[string]bson.M{
		"a": nil, "b": {}, "no": nil, "z": nil, "x": {"xealthReports": subscription("xealth", false)},
	} {
		id := d.patient(t, "P "+mrn, map[string]any{"mrn": mrn})
		if subscriptions != nil {
			d.set(t, id, bson.M{"ehrSubscriptions": subscriptions})
		}
	}
	d.patient(t, "without MRN", nil)
	return d, sent
}

func TestEnrollOrdersTheProgramForPatientsWithoutSubscription(t *testing.T) {
	t.Parallel()
	d, sent := newXealthDesk(t, xealthSettings)
	before := d.stored(t)
	r := d.run(t, "patients", "enroll", d.clinicID, "--limit", "3", "--mrn-origin", "epic")
	require.Equal(t, statusPartial, r.status)
	require.Equal(t, []string{
		"Enrolling 3 patients out of 4 total",
		"Enrolling patient with MRN a", "Enrolling patient with MRN b", "Enrolling patient with MRN no",
		"Unable to enroll patient: already enrolled", "1 of 3 patients were refused",
	}, strings.Split(strings.TrimSpace(r.stdout), "\n"))
	require.Equal(t, "/partner/write/order/deployment", sent.paths[0])
	require.Equal(t, map[string]any{
		"orderType": "enrollment", "partnerId": "tidepool", "programId": "program", "programTitle": "Tidepool",
		"patientId": map[string]any{"id": "a", "type": "EMPI", "origin": "epic"},
	}, sent.requests[0])
	require.Len(t, sent.requests, 3)
	require.Equal(t, before, d.stored(t), "nothing is written here")
}

func TestEnrollDryRunSendsNothing(t *testing.T) {
	t.Parallel()
	d, sent := newXealthDesk(t, xealthSettings)
	lines := d.ok(t, "patients", "enroll", d.clinicID, "--dry-run")
	require.Equal(t, "Enrolling 4 patients out of 4 total (dry run: nothing is sent)", lines[0])
	require.Len(t, lines, 5)
	require.Empty(t, sent.requests)
}

func TestEnrollStopsWhereXealthCannotBeReached(t *testing.T) {
	t.Parallel()
	d, _ := newXealthDesk(t, xealthSettings)
	d.config.Xealth.BaseURL = "http://127.0.0.1:1"
	r := d.run(t, "patients", "enroll", d.clinicID)
	require.Equal(t, 1, r.status)
	require.Equal(t, 1, strings.Count(r.stdout, "Enrolling patient"))
}

func TestEnrollNeedsXealthAndAProgram(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	require.Equal(t, "provider redox is not supported\n", d.run(t, "patients", "enroll", d.clinicID).stdout)
	d.connect(t, d.clinicID, map[string]any{"provider": "xealth", "procedureCodes": map[string]any{"createAccountAndEnableReports": ""}})
	require.Equal(t, "cannot enroll patient because program id is not set in ehr settings\n", d.run(t, "patients", "enroll", d.clinicID).stdout)
	require.Equal(t, "provider xealth is not supported\n", d.run(t, "patients", "backfill-emails", d.clinicID).stdout)
}

// newBackfillDesk has six patients with an address in their order, and some without.
func newBackfillDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, map[string]any{})
	subscribe := func(mrn string, active bool, order ...bson.ObjectID) {
		id := d.patient(t, "P "+mrn, map[string]any{"mrn": mrn, "targetDevices": []string{"dexcom"}})
		d.set(t, id, bson.M{"ehrSubscriptions": bson.M{"summaryAndReports": subscription("redox", active, order...)}})
	}
	for _, mrn := range []string{"1", "2", "3", "4", "5"} {
		subscribe(mrn, true, d.order(t, "source-1", "on", about(mrn, "1980-01-01", "own-"+mrn+"@example.com", "second@example.com")))
	}
	subscribe("child", true, d.order(t, "source-1", "on", about("child", "2024-01-01", "own-child@example.com")))
	subscribe("inactive", false, d.order(t, "source-1", "on", about("inactive", "1980-01-01", "inactive@example.com")))
	subscribe("no address", true, d.order(t, "source-1", "on", about("none", "1980-01-01")))
	subscribe("bad address", true, d.order(t, "source-1", "on", about("bad", "1980-01-01", "not an address")))
	subscribe("number", true, d.order(t, "source-1", "on", about("number", "1980-01-01", 5)))
	subscribe("no birth date", true, d.order(t, "source-1", "on", about("n", "", "n@example.com")))
	subscribe("order gone", true, bson.NewObjectID())
	subscribe("no order", true)
	d.patient(t, "has one", map[string]any{"email": "has-one@example.com"})
	return d
}

// emails returns the stored addresses by MRN.
func (d *desk) emails(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, patient := range d.stored(t) {
		mrn, _ := patient["mrn"].(string)
		if email, ok := patient["email"].(string); ok && mrn != "" {
			found[mrn] = email
		}
	}
	return found
}

func TestBackfillReachesEverybodyInSmallBatches(t *testing.T) {
	t.Parallel()
	d := newBackfillDesk(t)
	r := d.run(t, "patients", "backfill-emails", d.clinicID, "--batch-size", "2")
	require.Zero(t, r.status, r.stderr)
	require.Equal(t, map[string]string{
		"1": "own-1@example.com", "2": "own-2@example.com", "3": "own-3@example.com", "4": "own-4@example.com", "5": "own-5@example.com",
		"child": "guardian-child@example.com",
	}, d.emails(t))
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	require.Len(t, lines, 7)
	require.Equal(t, "6 patients were updated", lines[6])
	require.Regexp(t, `^MRN 1 - P 1 \[.+\] - New Email \[own-1@example.com\]$`, lines[0])
	require.Contains(t, r.stderr, "13 patients were looked at")
	require.Equal(t, 4, strings.Count(r.stderr, "a patient was skipped"), r.stderr)
	for _, secret := range []string{"@example.com", "not an address", "1980"} {
		require.NotContains(t, r.stderr, secret, "data of patients are no matter of the log")
	}

	for _, patient := range d.stored(t) {
		if patient["mrn"] != "1" {
			continue
		}
		require.Equal(t, bson.A{"dexcom"}, patient["targetDevices"], "the update keeps the rest")
		account, ok := d.Standin.User(patient["userId"].(string))
		require.True(t, ok)
		require.Equal(t, "own-1@example.com", account.Username)
	}
	active, err := d.Store.Collection(patients.CollectionName).CountDocuments(t.Context(), bson.M{"ehrSubscriptions.summaryAndReports.active": true})
	require.NoError(t, err)
	require.EqualValues(t, 12, active, "the MRN is as it was, and so are the subscriptions")
	require.Equal(t, []string{"0 patients were updated"}, d.ok(t, "patients", "backfill-emails", d.clinicID))
}

func TestBackfillDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	d := newBackfillDesk(t)
	before := d.stored(t)
	d.Standin.ForgetCalls()
	lines := d.ok(t, "patients", "backfill-emails", d.clinicID, "--dry-run")
	require.Len(t, lines, 7)
	require.Equal(t, "6 patients would be updated", lines[6])
	require.Equal(t, before, d.stored(t))
	require.Empty(t, d.Standin.Calls(), "no neighbour is called")
}
