package readers_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

type object = map[string]any

// awkward is a number that is no exact float32.
const awkward = 3.9

// scene is a service, and a clinic that is connected to Redox.
type scene struct {
	*testkit.App
	t      *testing.T
	clinic string
}

// write calls the operations by which numbers are stored, and returns what they were stored in.
func write(t *testing.T) *store.Database {
	t.Helper()
	s := scene{App: testkit.Start(t), t: t}
	s.write()
	return s.Store
}

func (s *scene) write() {
	s.t.Helper()
	t := s.t
	var admin string
	s.clinic, admin = s.NewClinic(t)
	s.ok(http.MethodPut, "/settings/ehr", object{
		"enabled": true, "provider": "redox", "sourceId": "source-1", "mrnIdType": "MR", "procedureCodes": object{},
		"scheduledReports": object{"cadence": "14d", "onUploadEnabled": true}, "tags": object{}, "flowsheets": object{"icode": true},
	})
	s.ok(http.MethodPut, "/settings/patient_count", object{"hardLimit": object{"plan": 250}, "softLimit": object{"plan": 200}})
	s.ok(http.MethodPost, "/patient_tags", object{"name": "Tag"})
	s.ok(http.MethodPost, "/sites", object{"name": "Site"})
	clinic := s.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+s.clinic, nil).OK(t, http.StatusOK).Object(t)
	patient := s.patient(clinic, "1000001")
	s.summarize(patient)
	s.order("1000001")
	s.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+s.clinic+"/ehr/sync", nil).OK(t, http.StatusAccepted)
	s.ok(http.MethodPost, "/patient_count/refresh", nil)

	s.merge()
	gone := s.patient(clinic, "1000002")
	s.summarize(gone)
	s.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+s.clinic+"/patients/"+gone, nil).OK(t, http.StatusNoContent)
}

// ok calls an operation below the clinic.
func (s scene) ok(method, path string, body any) testkit.Response {
	s.t.Helper()
	answer := s.Call(s.t, testkit.Service, method, "/v1/clinics/"+s.clinic+path, body)
	require.Less(s.t, answer.Status, 300, "%s %s: %s", method, path, answer.Body)
	return answer
}

// patient makes a patient with all that may be said of one, and returns the user id.
func (s scene) patient(clinic object, mrn string) string {
	s.t.Helper()
	threshold := func(name string, value any, units string) object {
		return object{"name": name, "upperBound": object{"value": value, "units": units}, "inclusive": true}
	}
	tag := clinic["patientTags"].([]any)[0].(object)["id"]
	site := clinic["sites"].([]any)[0].(object)
	id, ok := s.NewPatient(s.t, s.clinic, "Timothy Bixby", object{
		"mrn": mrn, "birthDate": "2008-01-06", "tags": []any{tag}, "sites": []any{object{"id": site["id"], "name": site["name"]}},
		"dataSources": []any{object{"providerName": "dexcom", "state": "connected", "modifiedTime": "2024-01-02T03:04:05Z"}},
		"glycemicRanges": object{"type": "custom", "custom": object{"name": "own", "thresholds": []any{
			threshold("a", awkward, "mmol/L"), threshold("b", 0.1, "mmol/L"), threshold("c", 1e-30, "mmol/L"), threshold("d", 70, "mg/dL"),
			threshold("e", 3.4e38, "mg/dL"), threshold("f", 16777217, "mg/dL"),
		}}},
	})["id"].(string)
	require.True(s.t, ok)
	return id
}

// summarize stores statistics with every number that they may have.
func (s scene) summarize(userID string) {
	s.t.Helper()
	var whole summary.Summary
	fill(reflect.ValueOf(&whole).Elem())
	s.Call(s.t, testkit.Service, http.MethodPost, "/v1/patients/"+userID+"/summary", whole).OK(s.t, http.StatusOK)
}

// fill gives every member a value.
func fill(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem())
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[time.Time]() {
			value.Set(reflect.ValueOf(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)))
			return
		}
		for i := range value.NumField() {
			fill(value.Field(i))
		}
	case reflect.Map:
		element := reflect.New(value.Type().Elem()).Elem()
		fill(element)
		value.Set(reflect.MakeMap(value.Type()))
		value.SetMapIndex(reflect.ValueOf("14d"), element)
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		fill(value.Index(0))
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int:
		value.SetInt(70000)
	case reflect.Float64:
		value.SetFloat(awkward)
	case reflect.String:
		value.SetString("5f0000000000000000000001")
	default:
		panic("no value for a member of the kind " + value.Kind().String())
	}
}

// order has an order with numbers of all sizes stored, and subscribes its patient by it.
func (s scene) order(mrn string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/v1/redox", strings.NewReader(`{
		"Meta": {"DataModel": "Order", "EventType": "New", "Source": {"ID": "source-1"}, "Message": {"ID": 12345678901}, "Transmission": {"ID": 0.1}},
		"Patient": {"Identifiers": [{"ID": "`+mrn+`", "IDType": "MR"}], "Demographics": {"FirstName": "Timothy", "LastName": "Bixby", "DOB": "2008-01-06"}},
		"Order": {"ID": "1", "Numbers": [1, 3.9, 12345678901, 1e300]}}`))
	require.NoError(s.t, err)
	request.Header.Set("verification-token", testkit.RedoxToken)
	s.Do(s.t, testkit.Nobody, request).OK(s.t, http.StatusOK)
	message := testkit.Documents(s.t, s.Store, redox.MessagesCollectionName, bson.M{})[0]["_id"].(bson.ObjectID)
	s.Call(s.t, testkit.Service, http.MethodPost, "/v1/redox/match", object{
		"messageRef": object{"dataModel": "Order", "eventType": "New", "documentId": message.Hex()},
		"patients":   object{"criteria": []string{"MRN_DOB"}, "onUniqueMatch": "ENABLE_REPORTS"},
	}).OK(s.t, http.StatusOK)
}

// merge has another clinic absorbed, whose patient has ranges and statistics, too.
func (s scene) merge() {
	s.t.Helper()
	other := s
	other.clinic, _ = s.NewClinic(s.t)
	other.ok(http.MethodPost, "/patient_tags", object{"name": "Other tag"})
	other.ok(http.MethodPost, "/sites", object{"name": "Other site"})
	clinic := s.Call(s.t, testkit.Service, http.MethodGet, "/v1/clinics/"+other.clinic, nil).OK(s.t, http.StatusOK).Object(s.t)
	moved := other.patient(clinic, "2000001")
	other.summarize(moved)
	s.ok(http.MethodPost, "/merge", object{"sourceId": other.clinic})
}
