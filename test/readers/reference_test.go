package readers_test

import (
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// The clinics of testdata/reference.json, which holds documents as the reference service stores them, old forms included.
const (
	north = "65a000000000000000000001"
	south = "65a000000000000000000002"
	shell = "65a000000000000000000003" // of a legacy account that has not moved yet
)

// takenOver is a service on a database that the reference service wrote.
func takenOver(t *testing.T) scene {
	t.Helper()
	s := scene{App: testkit.Start(t), t: t, clinic: north}
	content, err := os.ReadFile("testdata/reference.json")
	require.NoError(t, err)
	var collections map[string][]bson.D
	require.NoError(t, bson.UnmarshalExtJSON(content, false, &collections))
	for collection, documents := range collections {
		_, err := s.Store.Collection(collection).InsertMany(t.Context(), documents)
		require.NoError(t, err, collection)
	}
	for _, custodial := range []string{"c000000001", "c000000002"} {
		s.Standin.AddUser(standin.User{UserID: custodial})
	}
	return s
}

func (s scene) get(caller testkit.Caller, path string) testkit.Response {
	s.t.Helper()
	return s.Call(s.t, caller, http.MethodGet, path, nil).OK(s.t, http.StatusOK)
}

// ids returns the ids in a list of patients.
func (s scene) ids(query string) []string {
	s.t.Helper()
	var page struct {
		Data []struct{ ID string }
		Meta struct{ TotalCount int }
	}
	s.get(testkit.Service, "/v1/clinics/"+s.clinic+"/patients?limit=100&sortType=cgm&period=14d&"+query).Into(s.t, &page)
	found := []string{}
	for _, patient := range page.Data {
		found = append(found, patient.ID)
	}
	return found
}

// stored returns the only document with an id.
func (s scene) stored(collection string, filter bson.M) bson.M {
	s.t.Helper()
	documents := testkit.Documents(s.t, s.Store, collection, filter)
	require.Len(s.t, documents, 1, "%s %v", collection, filter)
	return documents[0]
}

func TestWhatTheReferenceWroteIsRead(t *testing.T) {
	t.Parallel()
	s := takenOver(t)
	ada := testkit.User("ad00000001")
	clinic := s.get(ada, "/v1/clinics/"+north).Object(t)
	require.Equal(t, []any{
		object{"id": "65a0000000000000000000a1", "name": "Pump", "numPatients": 1.0}, object{"id": "65a0000000000000000000a2", "name": "Old"},
	}, clinic["patientTags"], "the stored number of patients is not shown")
	require.Equal(t, []any{object{"id": "65a0000000000000000000b1", "name": "Harbour", "numPatients": 1.0}}, clinic["sites"])
	require.Len(t, s.get(testkit.Service, "/v1/clinics").List(t), 3)
	require.Equal(t, north, s.get(testkit.Service, "/v1/clinics/share_code/DDDD-EEEE-FFFF").Object(t)["id"])
	require.Equal(t, "", s.get(testkit.Service, "/v1/clinics/"+shell).Object(t)["name"])

	require.Equal(t, object{"required": false, "unique": true}, s.get(testkit.Service, "/v1/clinics/"+north+"/settings/mrn").Object(t))
	require.Equal(t, "north-source", s.get(testkit.Service, "/v1/clinics/"+north+"/settings/ehr").Object(t)["sourceId"])
	settings := s.get(testkit.Service, "/v1/clinics/"+south+"/settings/ehr").Object(t)
	require.Equal(t, []any{"MRN", "14d"}, []any{settings["mrnIdType"], settings["scheduledReports"].(object)["cadence"]})
	limits := s.get(testkit.Service, "/v1/clinics/"+south+"/settings/patient_count").Object(t)
	require.Equal(t, object{"hardLimit": object{"plan": 300.0}}, limits)
	require.Equal(t, 4.0, s.get(testkit.Service, "/v1/clinics/"+north+"/patient_count").Object(t)["total"])
	require.Equal(t, 1.0, s.get(testkit.Service, "/v1/clinics/"+south+"/patient_count").Object(t)["total"], "the old form is counted anew")

	require.Len(t, s.get(ada, "/v1/clinics/"+north+"/clinicians").List(t), 4)
	require.Len(t, s.get(testkit.Service, "/v1/clinicians/ad00000002/clinics").List(t), 2)
	require.Equal(t, "RUNNING", s.get(testkit.Service, "/v1/clinics/"+north+"/migrations").List(t)[0]["status"])
}

func TestPatientsOfTheReferenceAreListed(t *testing.T) {
	t.Parallel()
	s := takenOver(t)
	const ann, ben, nameless, claire = "c000000001", "c000000002", "ab00000003", "7f3f0f5e-1c1c-4b6a-9d59-0a1b2c3d4e5f"
	for query, want := range map[string][]string{
		"sort=%2BfullName":                 {nameless, ann, ben, claire},
		"sort=-birthDate":                  {ann, ben, claire, nameless},
		"tags=65a0000000000000000000a1":    {ann},
		"tags=_&sort=%2BfullName":          {nameless, ben, claire},
		"sites=65a0000000000000000000b1":   {ann},
		"search=s-1002":                    {claire},
		"search=" + url.QueryEscape("ANN"): {ann},
		"sort=-timeInTargetPercent&cgm.timeInTargetPercent=%3E%3D0.7": {ann},
	} {
		require.Equal(t, want, s.ids(query), query)
	}
	for _, id := range []string{ann, ben, nameless, claire} {
		require.Equal(t, id, s.get(testkit.Service, "/v1/clinics/"+north+"/patients/"+id).Object(t)["id"])
	}
	require.Len(t, s.get(testkit.Service, "/v1/patients/"+nameless+"/clinics").List(t), 2)
	found := s.get(testkit.Service, "/v1/clinics/"+north+"/patients/"+nameless).Object(t)
	require.Equal(t, []any{"", "0001-01-01", nil}, []any{found["fullName"], found["birthDate"], found["tags"]})
	require.Len(t, found["connectionRequests"].(object)["dexcom"], 1, "from the field of older writers")
}

// TestOrdersOfTheReferenceGoOn: an order that the reference service stored is matched, and a sync follows the one before.
func TestOrdersOfTheReferenceGoOn(t *testing.T) {
	t.Parallel()
	s := takenOver(t)
	matched := s.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", object{
		"messageRef": object{"dataModel": "Order", "eventType": "New", "documentId": "65a000000000000000000041"},
		"patients":   object{"criteria": []string{"MRN_DOB"}},
	}).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "c000000001", matched["patients"].([]any)[0].(object)["id"])
	s.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+north+"/ehr/sync", nil).OK(t, http.StatusAccepted)
	before, err := bson.ObjectIDFromHex("65a000000000000000000051")
	require.NoError(t, err)
	s.stored("scheduledSummaryAndReportsOrders", bson.M{"precedingDocument._id": before})
}

// TestWhatTheReferenceWroteSurvivesUpdates sends each patient back as it was listed, and changes a member and the clinic. What
// the request is not about stays as it was stored.
func TestWhatTheReferenceWroteSurvivesUpdates(t *testing.T) {
	t.Parallel()
	s := takenOver(t)
	ada := testkit.User("ad00000001")
	for _, id := range s.ids("") {
		filter := bson.M{"userId": id, "clinicId": objectID(t, north)}
		before := s.stored("patients", filter)
		row := s.get(ada, "/v1/clinics/"+north+"/patients/"+id).Object(t)
		may := []string{"updatedTime", "requireUniqueMrn", "sites"} // copies of sites lose the number that the reference adds
		if row["fullName"] == "" {
			row["fullName"], row["birthDate"] = "Named Now", "1991-01-01"
			may = append(may, "fullName", "birthDate")
		}
		s.Call(t, ada, http.MethodPut, "/v1/clinics/"+north+"/patients/"+id, row).OK(t, http.StatusOK)
		requireOnlyChanged(t, before, s.stored("patients", filter), may...)
	}
	member := bson.M{"userId": "ad00000002", "clinicId": objectID(t, north)}
	before := s.stored("clinicians", member)
	s.Call(t, ada, http.MethodPut, "/v1/clinics/"+north+"/clinicians/ad00000002", object{"email": "bo@north.example", "roles": []string{"CLINIC_ADMIN"}, "name": "Bo"}).OK(t, http.StatusOK)
	after := s.stored("clinicians", member)
	require.Len(t, after["rolesUpdates"], 2)
	requireOnlyChanged(t, before, after, "updatedTime", "name", "roles", "rolesUpdates")

	clinic := bson.M{"_id": objectID(t, north)}
	before = s.stored("clinics", clinic)
	s.Call(t, ada, http.MethodPut, "/v1/clinics/"+north, object{"name": "North Shore", "preferredBgUnits": "mg/dL", "timezone": "US/Pacific", "phoneNumbers": []any{object{"type": "Office", "number": "(503) 555-0100"}}}).OK(t, http.StatusOK)
	requireOnlyChanged(t, before, s.stored("clinics", clinic), "updatedTime", "admins")
}

func objectID(t *testing.T, hex string) bson.ObjectID {
	t.Helper()
	id, err := bson.ObjectIDFromHex(hex)
	require.NoError(t, err)
	return id
}

// requireOnlyChanged holds two states of a document against each other, with the types of all values.
func requireOnlyChanged(t *testing.T, before, after bson.M, may ...string) {
	t.Helper()
	for _, name := range may {
		delete(before, name)
		delete(after, name)
	}
	require.Equal(t, before, after)
}

// TestWhatTheReferenceWroteCanGo removes everything. The records hold what was there.
func TestWhatTheReferenceWroteCanGo(t *testing.T) {
	t.Parallel()
	s := takenOver(t)
	ada := testkit.User("ad00000001")
	for _, id := range s.ids("") {
		before := s.stored("patients", bson.M{"userId": id, "clinicId": objectID(t, north)})
		s.Call(t, ada, http.MethodDelete, "/v1/clinics/"+north+"/patients/"+id, nil).OK(t, http.StatusNoContent)
		record := s.stored("patient_deletions", bson.M{"patient.userId": id, "deletedByUserId": "ad00000001"})
		require.WithinDuration(t, time.Now(), record["deletedTime"].(bson.DateTime).Time(), time.Minute)
		kept := asMap(t, record["patient"])
		for name, value := range before {
			if value != nil {
				require.Equal(t, value, kept[name], "%s of %s", name, id)
			}
		}
	}
	s.Call(t, ada, http.MethodDelete, "/v1/clinics/"+north+"/clinicians/ad00000002", nil).OK(t, http.StatusOK)
	s.Call(t, testkit.Service, http.MethodDelete, "/v1/users/ab00000003/clinics", nil).OK(t, http.StatusOK)
	for _, clinic := range []string{north, south, shell} {
		s.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+clinic, nil).OK(t, http.StatusNoContent)
	}
	for _, collection := range []string{"clinics", "clinicians", "patients"} {
		require.Empty(t, testkit.Documents(t, s.Store, collection, bson.M{}), collection)
	}
	require.Len(t, testkit.Documents(t, s.Store, "clinic_deletions", bson.M{}), 4)
	require.Len(t, testkit.Documents(t, s.Store, "patient_deletions", bson.M{}), 2+5)
}

func asMap(t *testing.T, value any) bson.M {
	t.Helper()
	raw, err := bson.Marshal(value)
	require.NoError(t, err)
	var decoded bson.M
	require.NoError(t, bson.Unmarshal(raw, &decoded))
	return decoded
}
