package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// with makes a call with a header.
func (w ward) with(t *testing.T, caller testkit.Caller, method, path string, body any, header ...string) testkit.Response {
	t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, bytes.NewReader(encoded))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	return w.Do(t, caller, request)
}

// tagged is something that has an entity tag and can be changed.
type tagged struct {
	path string
	// change returns the body of the n-th change.
	change func(n int) any
	// behind writes to the stored document as an older service might, without a new updatedTime.
	collection string
	key        bson.M
	field      string
	value      any
	gone       bool // whether it can be deleted
}

// everythingTagged returns one of each kind in the clinic.
func everythingTagged(t *testing.T, w ward) map[string]tagged {
	t.Helper()
	member := w.NewMember(t, w.clinicID, "CLINIC_MEMBER")
	patient := w.add(t, map[string]any{"email": bson.NewObjectID().Hex() + "@example.com"})["id"].(string)
	clinic := "/v1/clinics/" + w.clinicID
	w.set(t, bson.M{"mrnSettings": bson.M{"required": false, "unique": false}})
	ehr := func(n int) any {
		return map[string]any{
			"enabled": false, "provider": "redox", "sourceId": fmt.Sprint("source-", n), "mrnIdType": "MRN", "tags": map[string]any{},
			"procedureCodes": map[string]any{}, "flowsheets": map[string]any{"icode": true}, "notes": map[string]any{},
			"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": false},
		}
	}
	w.Call(t, testkit.Service, http.MethodPut, clinic+"/settings/ehr", ehr(0)).OK(t, http.StatusOK)
	inClinic := func(path, field string, value any, change func(int) any) tagged {
		return tagged{path: clinic + path, collection: "clinics", key: bson.M{"_id": w.id(t)}, field: field, value: value, change: change}
	}
	inOther := func(collection, id, path, field string, change func(int) any) tagged {
		return tagged{
			path: clinic + path + id, collection: collection, key: bson.M{"clinicId": w.id(t), "userId": id}, field: field, value: "Else",
			change: change, gone: true,
		}
	}
	return map[string]tagged{
		"clinic": inClinic("", "city", "Elsewhere", func(n int) any {
			return map[string]any{"name": fmt.Sprint("Clinic ", n), "preferredBgUnits": "mg/dL"}
		}),
		"mrn settings": inClinic("/settings/mrn", "mrnSettings.unique", true, func(n int) any {
			return map[string]any{"required": false, "unique": n%2 == 1}
		}),
		"ehr settings": inClinic("/settings/ehr", "ehrSettings.sourceId", "elsewhere", ehr),
		"count settings": inClinic("/settings/patient_count", "patientCountSettings.hardLimit.plan", 777, func(n int) any {
			return map[string]any{"hardLimit": map[string]any{"plan": 1000 + n}}
		}),
		"restrictions": inClinic("/membership_restrictions", "membershipRestrictions", bson.A{bson.M{"emailDomain": "else.example.com"}}, func(n int) any {
			return map[string]any{"restrictions": []any{map[string]any{"emailDomain": fmt.Sprintf("d%d.example.com", n)}}}
		}),
		"member": inOther("clinicians", member, "/clinicians/", "name", func(n int) any {
			return map[string]any{"email": "", "name": fmt.Sprint("Mo ", n), "roles": []string{"CLINIC_MEMBER"}}
		}),
		"patient": inOther("patients", patient, "/patients/", "fullName", func(n int) any {
			return map[string]any{"fullName": fmt.Sprint("Bea ", n), "birthDate": "1999-12-31", "email": fmt.Sprintf("%s-%d@example.com", patient, n)}
		}),
	}
}

func (w ward) tag(t *testing.T, path string) string {
	t.Helper()
	tag := w.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Header.Get("ETag")
	require.Regexp(t, `^"[A-Za-z0-9_-]{24}"$`, tag)
	return tag
}

// behind changes the stored document as another service would.
func (w ward) behind(t *testing.T, of tagged) {
	t.Helper()
	result, err := w.Store.Collection(of.collection).UpdateOne(t.Context(), of.key, bson.M{"$set": bson.M{of.field: of.value}})
	require.NoError(t, err)
	require.EqualValues(t, 1, result.ModifiedCount)
}
