package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// biggest makes the largest bodies that the document allows.
type biggest struct {
	t          *testing.T
	operations map[string]*openapi3.Operation
	bound      int // of a body, in bytes
}

func newBiggest(t *testing.T) biggest {
	t.Helper()
	b := biggest{t: t, operations: map[string]*openapi3.Operation{}}
	spec := published(t)
	bound, ok := spec.Extensions["x-max-body"].(float64)
	require.True(t, ok)
	b.bound = int(bound)
	eachOperation(spec, func(o *openapi3.Operation, _ []*openapi3.Parameter) { b.operations[o.OperationID] = o })
	return b
}

// body returns the largest body of an operation: every member is there, texts are as long as they may be, in characters of four
// bytes, and lists have as many entries as there is room for. Some members are given.
func (b biggest) body(operationID string, given map[string]any) map[string]any {
	b.t.Helper()
	schema := b.operations[operationID].RequestBody.Value.Content.Get("application/json").Schema.Value
	for share := 1; ; share *= 2 {
		body := b.value(schema, share).(map[string]any)
		for name, value := range given {
			body[name] = value
		}
		encoded, err := json.Marshal(body)
		require.NoError(b.t, err)
		if len(encoded) <= b.bound {
			require.Greater(b.t, len(encoded), b.bound/8, "%s could be larger", operationID)
			return body
		}
	}
}

func (b biggest) value(s *openapi3.Schema, share int) any {
	switch {
	case len(s.AllOf) > 0:
		return b.value(s.AllOf[0].Value, share)
	case s.Enum != nil:
		return s.Enum[len(s.Enum)-1]
	case s.Type.Is("string"):
		if s.MaxLength != nil {
			for _, letter := range []string{"𝒳", "x"} {
				if long := strings.Repeat(letter, int(*s.MaxLength)); s.Format == "" && s.VisitJSON(long) == nil {
					return long
				}
			}
		}
		return sample(s)
	case s.Type.Is("array"):
		list := make([]any, max(1, int(*s.MaxItems)/share))
		for i := range list {
			list[i] = numbered(b.value(s.Items.Value, share), i)
		}
		return list
	case s.Type.Is("object") && s.AdditionalProperties.Schema != nil:
		entries := map[string]any{}
		for i := range max(1, int(*s.MaxProps)/share) {
			entries[strings.Repeat("p", i+1)] = b.value(s.AdditionalProperties.Schema.Value, 1<<20)
		}
		return entries
	case s.Type.Is("object") || len(s.Properties) > 0:
		members := map[string]any{}
		for name, property := range s.Properties {
			if !property.Value.ReadOnly {
				members[name] = b.value(property.Value, share)
			}
		}
		return members
	default:
		return sample(s)
	}
}

// numbered makes an entry of a list different from the others, in a text that is long enough to be anything.
func numbered(entry any, i int) any {
	switch entry := entry.(type) {
	case string:
		if _, err := bson.ObjectIDFromHex(entry); err == nil {
			return bson.NewObjectID().Hex()
		}
		if letters := []rune(entry); len(letters) > 60 {
			return string(append(letters[:len(letters)-4], []rune(fmt.Sprintf("%04d", i))...))
		}
	case map[string]any:
		for name, value := range entry {
			entry[name] = numbered(value, i)
		}
	}
	return entry
}

// TestTheLargestPatientAndClinicHaveAWholeLife makes a clinic and patients as large as the document allows, reads, lists, changes
// and merges them, and removes them with their records.
func TestTheLargestPatientAndClinicHaveAWholeLife(t *testing.T) {
	t.Parallel()
	app, b := testkit.Start(t), newBiggest(t)
	admin := app.NewUser(t, strings.Repeat("N", 255))
	clinicBody := b.body("CreateClinic", map[string]any{"preferredBgUnits": "mg/dL", "country": "CA"})
	clinics := make([]string, 2)
	for i := range clinics {
		made := app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics", clinicBody).OK(t, http.StatusOK).Object(t)
		clinics[i] = made["id"].(string)
		path := "/v1/clinics/" + clinics[i]
		for _, kind := range []string{"patient_tags", "sites"} {
			for n := range 25 { // a merged clinic may have 50
				name := string(rune('A'+n)) + string(rune('a'+i)) + strings.Repeat("n", 10)
				answer := app.Call(t, testkit.Service, http.MethodPost, path+"/"+kind, map[string]any{"name": name})
				require.Less(t, answer.Status, 300, string(answer.Body))
			}
		}
		app.Call(t, testkit.User(admin), http.MethodPut, path, clinicBody).OK(t, http.StatusOK)
		app.Call(t, testkit.Service, http.MethodPut, path+"/membership_restrictions", b.body("UpdateMembershipRestrictions", nil)).OK(t, http.StatusOK)
		app.Call(t, testkit.Service, http.MethodPut, path+"/membership_restrictions", map[string]any{}).OK(t, http.StatusOK)
	}
	source, target := "/v1/clinics/"+clinics[0], "/v1/clinics/"+clinics[1]
	var users []string
	for i := range 3 {
		body := b.body("CreatePatientAccount", map[string]any{"email": string(rune('a'+i)) + "@example.com", "sites": []any{}})
		users = append(users, app.Call(t, testkit.Service, http.MethodPost, source+"/patients", body).OK(t, http.StatusOK).Object(t)["id"].(string))
		path := source + "/patients/" + users[i]
		app.Call(t, testkit.Service, http.MethodPut, "/v1/patients/"+users[i]+"/data_sources", repeatedSources(b)).OK(t, http.StatusOK)
		for _, half := range []string{"cgmStats", "bgmStats"} {
			statistics := b.body("UpdatePatientSummary", nil)
			app.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+users[i]+"/summary", map[string]any{half: statistics[half]}).OK(t, http.StatusOK)
		}
		for range 3 {
			app.Call(t, testkit.Service, http.MethodPost, path+"/connect/dexcom", nil).OK(t, http.StatusNoContent)
		}
		app.Call(t, testkit.Service, http.MethodPut, path, b.body("UpdatePatient", map[string]any{"email": string(rune('a'+i)) + "@example.com", "sites": []any{}})).OK(t, http.StatusOK)
		require.Greater(t, len(app.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusOK).Body), 100_000)
	}
	require.Len(t, app.Call(t, testkit.User(admin), http.MethodGet, source+"/patients", nil).OK(t, http.StatusOK).Object(t)["data"], 3)
	app.Call(t, testkit.User(admin), http.MethodDelete, source+"/patients/"+users[0], nil).OK(t, http.StatusNoContent)
	record := testkit.Documents(t, app.Store, "patient_deletions", bson.M{"patient.userId": users[0]})
	require.Len(t, record, 1)

	app.Call(t, testkit.Service, http.MethodPost, target+"/reports/merge", map[string]any{"sourceId": clinics[0]}).OK(t, http.StatusOK)
	app.Call(t, testkit.Service, http.MethodPost, target+"/merge", map[string]any{"sourceId": clinics[0]}).OK(t, http.StatusOK)
	require.Len(t, app.Call(t, testkit.User(admin), http.MethodGet, target+"/patients", nil).OK(t, http.StatusOK).Object(t)["data"], 2)
	for _, user := range users[1:] {
		app.Call(t, testkit.User(admin), http.MethodDelete, target+"/patients/"+user, nil).OK(t, http.StatusNoContent)
	}
	require.Len(t, app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics", nil).OK(t, http.StatusOK).List(t), 1)
	app.Call(t, testkit.User(admin), http.MethodDelete, target, nil).OK(t, http.StatusNoContent)
	require.Len(t, testkit.Documents(t, app.Store, "clinic_deletions", bson.M{}), 2)
}

// repeatedSources returns as many data sources as one call may store.
func repeatedSources(b biggest) []any {
	schema := b.operations["UpdatePatientDataSources"].RequestBody.Value.Content.Get("application/json").Schema.Value
	for share := 1; ; share *= 2 {
		list := b.value(schema, share).([]any)
		encoded, err := json.Marshal(list)
		require.NoError(b.t, err)
		if len(encoded) <= b.bound {
			list[0].(map[string]any)["providerName"] = "dexcom" // which can be asked for
			return list
		}
	}
}
