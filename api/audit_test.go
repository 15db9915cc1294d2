package api_test

import (
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// audited is a service that keeps a trail, and a clinic in it.
type audited struct {
	*testkit.App

	clinicID, adminID string
}

func newAudited(t *testing.T, change func(c *config.Audit)) audited {
	t.Helper()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Audit.Retention = 24 * time.Hour
		change(&c.Audit)
	}))
	a := audited{App: app}
	a.clinicID, a.adminID = app.NewClinic(t)
	return a
}

func (a audited) path(rest string) string { return "/v1/clinics/" + a.clinicID + rest }

// entries returns a page of the trail, once everything in it has an outcome.
func (a audited) entries(t *testing.T, query string) (entries []map[string]any) {
	t.Helper()
	require.Eventually(t, func() bool {
		entries = nil
		for _, entry := range a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/audit"+query), nil).OK(t, http.StatusOK).Object(t)["entries"].([]any) {
			entries = append(entries, entry.(map[string]any))
		}
		return !slices.ContainsFunc(entries, func(e map[string]any) bool { return e["status"] == nil })
	}, 10*time.Second, 20*time.Millisecond)
	return entries
}

func TestTheTrailSaysWhoChangedWhat(t *testing.T) {
	t.Parallel()
	a := newAudited(t, func(*config.Audit) {})
	patientID, _ := a.Call(t, testkit.User(a.adminID), http.MethodPost, a.path("/patients"), map[string]any{
		"fullName": "Sesam Secret", "birthDate": "1990-05-06", "mrn": "1",
	}).OK(t, http.StatusOK).Object(t)["id"].(string)
	patient := a.path("/patients/" + patientID)
	update := map[string]any{"fullName": "Sesam Secret", "birthDate": "1990-05-07", "mrn": "1", "email": "sesam@example.com", "Sesam Secret": 1}
	a.Call(t, testkit.User(a.adminID), http.MethodPut, patient, update).OK(t, http.StatusOK)
	a.Call(t, testkit.User(a.adminID), http.MethodPut, patient, update).OK(t, http.StatusOK)
	a.Call(t, testkit.Service, http.MethodPost, a.path("/patient_tags"), map[string]any{"name": "Sesam", "Sesam Secret": 1}).OK(t, http.StatusOK)
	a.Call(t, testkit.Service, http.MethodPost, a.path("/patient_tags"), map[string]any{"name": "Sesam"}).OK(t, http.StatusConflict)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, patient, nil).OK(t, http.StatusOK)
	a.Call(t, testkit.User(a.adminID), http.MethodPost, patient+"/upload_reminder", nil).OK(t, http.StatusOK)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/patients_export"), nil).OK(t, http.StatusOK)
	a.Call(t, testkit.User(a.adminID), http.MethodDelete, patient, nil).OK(t, http.StatusNoContent)

	var told [][]any
	for _, entry := range a.entries(t, "") {
		require.NotEmpty(t, entry["requestId"])
		told = append(told, []any{entry["operation"], entry["userId"], entry["service"] != nil, entry["patientId"], entry["outcome"], entry["status"], entry["fields"]})
	}
	slices.Reverse(told)
	admin, none := any(a.adminID), any(nil)
	require.Equal(t, [][]any{
		{"CreatePatientAccount", admin, false, patientID, "done", 200.0, []any{"birthDate", "fullName", "mrn"}},
		{"UpdatePatient", admin, false, patientID, "done", 200.0, []any{"birthDate", "email"}},
		{"UpdatePatient", admin, false, patientID, "done", 200.0, []any{}},
		{"CreatePatientTag", none, true, none, "done", 200.0, []any{"name"}},
		{"CreatePatientTag", none, true, none, "refused", 409.0, []any{"name"}},
		{"SendUploadReminder", admin, false, patientID, "done", 200.0, []any{"lastUploadReminderTime"}},
		{"ExportPatients", admin, false, none, "done", 200.0, none},
		{"DeletePatient", admin, false, patientID, "done", 204.0, none},
	}, told)

	for _, document := range testkit.Documents(t, a.Store, "audit", bson.M{}) {
		text, err := bson.MarshalExtJSON(document, false, false)
		require.NoError(t, err)
		require.NotContains(t, string(text), "esam", "names of fields, never what is in them")
		require.WithinDuration(t, time.Now().Add(24*time.Hour), document["expires"].(bson.DateTime).Time(), time.Minute)
	}
}

func TestTheTrailIsListedByPagesAndFilters(t *testing.T) {
	t.Parallel()
	a := newAudited(t, func(*config.Audit) {})
	patient, _ := a.NewPatient(t, a.clinicID, "Ann", nil)["id"].(string)
	for _, name := range []string{"a", "b", "c"} {
		a.Call(t, testkit.User(a.adminID), http.MethodPost, a.path("/patient_tags"), map[string]any{"name": name}).OK(t, http.StatusOK)
	}
	all := a.entries(t, "")
	require.Len(t, all, 4)
	var paged []map[string]any
	for next := ""; ; {
		page := a.Call(t, testkit.Service, http.MethodGet, a.path("/audit?limit=2"+next), nil).OK(t, http.StatusOK).Object(t)
		for _, entry := range page["entries"].([]any) {
			paged = append(paged, entry.(map[string]any))
		}
		before, more := page["next"].(string)
		if !more {
			break
		}
		next = "&before=" + before
	}
	require.Equal(t, all, paged)
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for query, want := range map[string]int{
		"?patientId=" + patient: 1, "?userId=" + a.adminID: 3, "?operation=CreatePatientTag": 3, "?operation=DeletePatient": 0,
		"?since=" + tomorrow: 0, "?until=" + tomorrow: 4, "?until=2020-01-01T00:00:00Z": 0,
		"?until=" + tomorrow + "&before=" + all[1]["id"].(string): 2,
	} {
		require.Len(t, a.entries(t, query), want, query)
	}
	other, _ := a.NewClinic(t)
	require.Empty(t, a.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+other+"/audit", nil).OK(t, http.StatusOK).Object(t)["entries"])
	a.Call(t, testkit.User(a.NewMember(t, a.clinicID, "CLINIC_MEMBER")), http.MethodGet, a.path("/audit"), nil).OK(t, http.StatusForbidden)
}

func TestReadingOfPatientsIsRecordedWhereItIsWanted(t *testing.T) {
	t.Parallel()
	a := newAudited(t, func(c *config.Audit) { c.Reads = true })
	patient, _ := a.NewPatient(t, a.clinicID, "Ann", nil)["id"].(string)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/patients/"+patient), nil).OK(t, http.StatusOK)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/patients/"+testkit.NewUserID()), nil).OK(t, http.StatusNotFound)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/patients"), nil).OK(t, http.StatusOK)
	var read []map[string]any
	require.Eventually(t, func() bool {
		read = a.entries(t, "?operation=GetPatient")
		return len(read) == 2
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, []any{"refused", "done"}, []any{read[0]["outcome"], read[1]["outcome"]})
	require.Equal(t, patient, read[1]["patientId"])
}

func TestNothingIsRecordedUnlessItIsWanted(t *testing.T) {
	t.Parallel()
	a := newAudited(t, func(c *config.Audit) { c.Retention = 0; c.Reads = true })
	patient, _ := a.NewPatient(t, a.clinicID, "Ann", nil)["id"].(string)
	a.Call(t, testkit.User(a.adminID), http.MethodGet, a.path("/patients/"+patient), nil).OK(t, http.StatusOK)
	require.Empty(t, a.entries(t, ""))
	require.Empty(t, testkit.Documents(t, a.Store, "audit", bson.M{}))
}

func TestTheTrailKnowsOperationsByTheirIDs(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("clinic.v1.yaml")
	require.NoError(t, err)
	for _, id := range api.AuditedOperations() {
		require.Contains(t, string(document), "operationId: "+id+"\n")
	}
}
