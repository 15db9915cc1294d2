package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// stranger is a clinic with a member and a patient, whose documents a foreign hand changes.
type stranger struct {
	app                       *testkit.App
	clinic, tag, site, member string
	patient                   string
}

func newStranger(t *testing.T, app *testkit.App) *stranger {
	t.Helper()
	s := &stranger{app: app}
	s.clinic, _ = app.NewClinic(t)
	s.member = app.NewMember(t, s.clinic, "CLINIC_MEMBER")
	made := func(kind string) string {
		app.Call(t, testkit.Service, http.MethodPost, s.path(kind), map[string]any{"name": "First"}).OK(t, http.StatusOK)
		field := map[string]string{"/patient_tags": "patientTags", "/sites": "sites"}[kind]
		key := map[string]string{"/patient_tags": "_id", "/sites": "id"}[kind]
		return s.stored(t, "clinics", s.clinic)[field].(bson.A)[0].(bson.D)[slices.IndexFunc(s.stored(t, "clinics", s.clinic)[field].(bson.A)[0].(bson.D), func(e bson.E) bool { return e.Key == key })].Value.(bson.ObjectID).Hex()
	}
	s.tag, s.site = made("/patient_tags"), made("/sites")
	patient := app.NewPatient(t, s.clinic, "Pat Test", map[string]any{
		"mrn": "1", "tags": []string{s.tag}, "sites": []any{map[string]any{"id": s.site, "name": "First"}}, "targetDevices": []string{"dexcom"},
	})
	s.patient = patient["id"].(string)
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, err := app.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": s.patient}, bson.M{"$set": bson.M{
		"dataSources":                bson.A{bson.M{"providerName": "dexcom", "state": "connected", "modifiedTime": now}},
		"reviews":                    bson.A{bson.M{"clinicianId": s.member, "time": now}},
		"ehrSubscriptions":           bson.M{"summaryAndReports": bson.M{"active": true, "provider": "redox", "matchedMessages": bson.A{bson.M{"id": bson.NewObjectID(), "dataModel": "Order", "eventType": "New"}}}},
		"providerConnectionRequests": bson.M{"dexcom": bson.A{bson.M{"providerName": "dexcom", "createdTime": now}}},
		"lastUploadReminderTime":     now, "legacyClinicianIds": bson.A{"x"}, "invitedBy": s.member, "diagnosisType": "type1",
		"glycemicRanges": bson.M{"type": "preset", "preset": "adaStandard"},
		"summary": bson.M{"cgmStats": bson.M{"id": bson.NewObjectID().Hex(), "dates": bson.M{"lastData": now, "lastUpdatedDate": now}, "config": bson.M{"schemaVersion": 1},
			"periods": bson.M{"14d": bson.M{"timeInTargetPercent": 0.5, "timeCGMUsePercent": 0.9}}}},
	}})
	require.NoError(t, err)
	_, err = app.Store.Collection("clinics").UpdateByID(t.Context(), s.id(), bson.M{"$set": bson.M{
		"ehrSettings": bson.M{"enabled": true, "provider": "redox", "sourceId": s.clinic, "mrnIdType": "MR", "procedureCodes": bson.M{"enableSummaryReports": "on"},
			"scheduledReports": bson.M{"cadence": "14d", "onUploadEnabled": true}, "tags": bson.M{"codes": bson.A{"a"}}},
		"mrnSettings": bson.M{"required": false, "unique": false}, "patientCountSettings": bson.M{"hardLimit": bson.M{"plan": 1000}},
		"phoneNumbers": bson.A{bson.M{"type": "Office", "number": "1"}}, "suppressedNotifications": bson.M{"patientClinicInvitation": true},
		"membershipRestrictions": bson.A{bson.M{"emailDomain": "x.org"}}, "timezone": "UTC", "lastDeletedPatientTag": bson.NewObjectID(),
	}})
	require.NoError(t, err)
	return s
}

func (s *stranger) path(rest string) string { return "/v1/clinics/" + s.clinic + rest }

func (s *stranger) id() bson.ObjectID {
	id, _ := bson.ObjectIDFromHex(s.clinic)
	return id
}

func (s *stranger) filter(collection, key string) bson.M {
	switch collection {
	case "clinics":
		return bson.M{"_id": s.id()}
	default:
		return bson.M{"clinicId": s.id(), "userId": key}
	}
}

func (s *stranger) stored(t *testing.T, collection, key string) bson.M {
	t.Helper()
	found := testkit.Documents(t, s.app.Store, collection, s.filter(collection, key))
	require.Len(t, found, 1)
	return found[0]
}

// calls read and write everything that hangs on the documents. None of them removes what the next one needs.
func (s *stranger) calls() []struct {
	method, path string
	body         any
} {
	patient := s.path("/patients/" + s.patient)
	return []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, s.path(""), nil},
		{http.MethodGet, s.path("/patients"), nil},
		{http.MethodGet, s.path("/patients?search=pat&sort=%2BfullName"), nil},
		{http.MethodGet, s.path("/patients?sortType=cgm&period=14d&sort=-timeInTargetPercent&cgm.timeInTargetPercent=%3E0.1"), nil},
		{http.MethodGet, s.path("/tide_report?period=14d&tags=" + s.tag + "&lastDataCutoff=2020-01-01T00:00:00Z"), nil},
		{http.MethodGet, patient, nil},
		{http.MethodGet, s.path("/clinicians"), nil},
		{http.MethodGet, s.path("/clinicians/" + s.member), nil},
		{http.MethodGet, "/v1/clinicians/" + s.member + "/clinics", nil},
		{http.MethodGet, "/v1/patients/" + s.patient + "/clinics", nil},
		{http.MethodGet, s.path("/settings/ehr"), nil},
		{http.MethodGet, s.path("/patient_count"), nil},
		{http.MethodGet, s.path("/membership_restrictions"), nil},
		{http.MethodPut, patient, map[string]any{"fullName": "Pat Other", "birthDate": "1990-05-06", "mrn": "2", "tags": []string{s.tag}, "sites": []any{map[string]any{"id": s.site, "name": "First"}}}},
		{http.MethodPut, patient + "/reviews", map[string]any{"clinicianId": s.member, "time": time.Now().UTC()}},
		{http.MethodPut, patient + "/permissions", map[string]any{"view": map[string]any{}}},
		{http.MethodPost, patient + "/upload_reminder", nil},
		{http.MethodPost, patient + "/connect/dexcom", nil},
		{http.MethodPost, s.path("/patients/assign_tag/" + s.tag), []string{s.patient}},
		{http.MethodPost, s.path("/patients/delete_tag/" + s.tag), []string{s.patient}},
		{http.MethodPut, "/v1/patients/" + s.patient + "/data_sources", []any{map[string]any{"providerName": "dexcom", "state": "connected"}}},
		{http.MethodPost, "/v1/patients/" + s.patient + "/summary", map[string]any{"cgmStats": map[string]any{"id": "5f0000000000000000000001", "type": "cgm", "dates": map[string]any{"lastData": time.Now().UTC()}, "periods": map[string]any{"14d": map[string]any{"timeInTargetPercent": 0.7}}}}},
		{http.MethodPut, s.path("/clinicians/" + s.member), map[string]any{"roles": []string{"CLINIC_ADMIN"}, "email": "other@example.com"}},
		{http.MethodPut, s.path(""), map[string]any{"name": "Other", "preferredBgUnits": "mg/dL"}},
		{http.MethodPost, s.path("/patient_tags"), map[string]any{"name": "T" + testkit.NewUserID()}},
		{http.MethodPut, s.path("/patient_tags/" + s.tag), map[string]any{"name": "First"}},
		{http.MethodPost, s.path("/sites"), map[string]any{"name": "S" + testkit.NewUserID()}},
		{http.MethodPut, s.path("/sites/" + s.site), map[string]any{"name": "First"}},
		{http.MethodPost, s.path("/suppressed_notifications"), map[string]any{"suppressedNotifications": map[string]any{"patientClinicInvitation": true}}},
		{http.MethodPost, s.path("/patient_count/refresh"), nil},
		{http.MethodPost, "/v1/patients/" + s.patient + "/ehr/sync", nil},
	}
}

// paths returns the names of the members of a document and, with dots, of the documents in it.
func paths(document bson.D, prefix string, depth int) (all []string) {
	for _, member := range document {
		if slices.Contains([]string{"_id", "clinicId", "userId"}, prefix+member.Key) {
			continue // without these it is another document
		}
		all = append(all, prefix+member.Key)
		if inner, ok := member.Value.(bson.D); ok && depth > 1 {
			all = append(all, paths(inner, prefix+member.Key+".", depth-1)...)
		}
		if list, ok := member.Value.(bson.A); ok && len(list) > 0 {
			all = append(all, prefix+member.Key+".0")
		}
	}
	return all
}

// TestWhatAForeignHandStoredBreaksNothing puts something of another type into each member of a patient, a clinic and a member,
// one at a time, and calls operations that read and write it.
func TestWhatAForeignHandStoredBreaksNothing(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, tooManyWrites)
	app := testkit.Start(t)
	type job struct{ collection, path string }
	queue := make(chan job, 1000)
	subject := newStranger(t, app)
	for collection, key := range map[string]string{"patients": subject.patient, "clinics": subject.clinic, "clinicians": subject.member} {
		document := bson.D{}
		require.NoError(t, app.Store.Collection(collection).FindOne(t.Context(), subject.filter(collection, key)).Decode(&document))
		for _, path := range paths(document, "", 2) {
			queue <- job{collection, path}
		}
	}
	close(queue)
	values := map[string]any{"null": nil, "text": "Sesam", "number": 7, "list": bson.A{"x", nil}, "document": bson.M{"x": 1}, "truth": true}
	var mu sync.Mutex
	broken := map[string][]string{}
	var workers sync.WaitGroup
	for range 4 {
		s := newStranger(t, app)
		workers.Go(func() {
			for j := range queue {
				key := map[string]string{"patients": s.patient, "clinics": s.clinic, "clinicians": s.member}[j.collection]
				before := s.stored(t, j.collection, key)
				for name, value := range values {
					for _, call := range s.calls() {
						_, err := app.Store.Collection(j.collection).UpdateOne(t.Context(), s.filter(j.collection, key), bson.M{"$set": bson.M{j.path: value}})
						if err != nil { // such as a unique index that does not take a list
							break
						}
						answer := app.Call(t, testkit.Service, call.method, call.path, call.body)
						if answer.Status >= 500 {
							what := call.method + " " + strings.NewReplacer(s.clinic, "C", s.patient, "P", s.tag, "T", s.site, "S", s.member, "M").Replace(call.path)
							mu.Lock()
							broken[what] = append(broken[what], fmt.Sprintf("%s.%s=%s", j.collection, j.path, name))
							mu.Unlock()
						}
						_, err = app.Store.Collection(j.collection).ReplaceOne(t.Context(), s.filter(j.collection, key), before)
						if err != nil {
							t.Errorf("%s could not be put back: %v", j.collection, err)
							return
						}
					}
				}
			}
		})
	}
	workers.Wait()
	for what, how := range broken {
		slices.Sort(how)
		t.Errorf("%s: %s", what, strings.Join(how, " "))
	}
	for _, line := range app.Log.All() {
		require.NotContains(t, fmt.Sprint(line.Message, line.ContextMap()), "Sesam")
	}
}
