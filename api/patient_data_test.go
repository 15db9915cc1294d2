package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestUpdatePatientDataSourcesReachesAllClinics(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	other := newWard(t, w.App)
	id := w.add(t, nil)["id"].(string)
	other.Call(t, testkit.Service, http.MethodPost, other.patient(id), nil).OK(t, http.StatusOK)
	bystander := w.add(t, nil)["id"]
	path := "/v1/patients/" + id + "/data_sources"
	sources := `[{"providerName": "dexcom", "state": "connected", "dataSourceId": "5f0000000000000000000001", "latestDataTime": "2023-03-04T05:06:07.5+02:00"},
		{"providerName": "twiist", "state": "disconnected"}]`
	w.Call(t, w.admin, http.MethodPut, path, sources).OK(t, http.StatusForbidden)
	for range 2 {
		answer := w.Call(t, testkit.Service, http.MethodPut, path, sources).OK(t, http.StatusOK)
		require.Empty(t, answer.Body)
		for _, clinic := range []ward{w, other} {
			require.JSONEq(t, `[{"providerName": "dexcom", "state": "connected", "dataSourceId": {"$oid": "5f0000000000000000000001"},
				"latestDataTime": {"$date": {"$numberLong": "1677899167500"}}}, {"providerName": "twiist", "state": "disconnected"}]`,
				string(clinic.stored(t, id)["dataSources"]))
			clinic.requireCensus(t)
		}
	}
	require.Equal(t, 1.0, w.count(t)["plan"])
	require.Equal(t, 0.0, other.count(t)["plan"])
	require.NotContains(t, w.stored(t, bystander), "dataSources")

	for _, none := range []any{"[]", nil} {
		w.Call(t, testkit.Service, http.MethodPut, path, sources).OK(t, http.StatusOK)
		w.Call(t, testkit.Service, http.MethodPut, path, none).OK(t, http.StatusOK)
		require.JSONEq(t, `[]`, string(w.stored(t, id)["dataSources"]))
	}
	require.Equal(t, map[string]any{"total": 2.0, "demo": 0.0, "plan": 2.0}, w.count(t))
	w.Call(t, testkit.Service, http.MethodPut, "/v1/patients/"+testkit.NewUserID()+"/data_sources", sources).OK(t, http.StatusOK)
}

func TestUpdatePatientDataSourcesRefusesBadBodies(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	for name, body := range map[string]string{
		"object": `{}`, "null": `null`, "unknown state": `[{"providerName": "x", "state": "lost"}]`, "no provider": `[{"state": "pending"}]`,
		"short id":     `[{"providerName": "x", "state": "pending", "dataSourceId": "5f"}]`,
		"no zone":      `[{"providerName": "x", "state": "pending", "modifiedTime": "2023-03-04T05:06:07"}]`,
		"out of range": `[{"providerName": "x", "state": "pending", "modifiedTime": "0000-01-01T00:00:00+01:00"}]`,
		"cut":          `[{"providerName": "x"`,
	} {
		w.Call(t, testkit.Service, http.MethodPut, "/v1/patients/"+id+"/data_sources", body).OK(t, http.StatusBadRequest)
		require.NotContains(t, w.stored(t, id), "dataSources", name)
	}
}

func TestDataSourcesThatCannotBeStored(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	w := newWard(t, app)
	id := w.add(t, nil)["id"].(string)
	validate := func(validator bson.M) {
		require.NoError(t, app.Store.RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "patients"}, {Key: "validator", Value: validator}}).Err())
	}
	validate(bson.M{"dataSources": bson.M{"$exists": false}})
	path := "/v1/patients/" + id + "/data_sources"
	w.Call(t, testkit.Service, http.MethodPut, path, "[]").Fails(t, http.StatusInternalServerError, "Internal Server Error")
	validate(bson.M{})
	w.Call(t, testkit.Service, http.MethodPut, path, "[]").OK(t, http.StatusOK)
	require.JSONEq(t, `[]`, string(w.stored(t, id)["dataSources"]))
}

func TestUpdatePatientSummary(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	other := newWard(t, w.App)
	id := w.add(t, nil)["id"].(string)
	other.Call(t, testkit.Service, http.MethodPost, other.patient(id), nil).OK(t, http.StatusOK)
	path := "/v1/patients/" + id + "/summary"
	halves := func() map[string]json.RawMessage {
		t.Helper()
		require.JSONEq(t, string(w.stored(t, id)["summary"]), string(other.stored(t, id)["summary"]), "both clinics get the same")
		var summary map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(w.stored(t, id)["summary"], &summary))
		return summary
	}
	post := func(body any) { w.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK) }
	w.Call(t, w.admin, http.MethodPost, path, map[string]any{}).OK(t, http.StatusForbidden)

	post(map[string]any{})
	require.NotContains(t, w.stored(t, id), "summary", "never an empty one")
	post(summaryBody("0a", ""))
	before := halves()
	require.Equal(t, []string{"cgmStats"}, keys(before))
	require.JSONEq(t, `{"id": "0a",
		"config": {"schemaVersion": {"$numberInt": "5"}, "highGlucoseThreshold": {"$numberDouble": "10.0"},
			"veryHighGlucoseThreshold": {"$numberDouble": "13.9"}, "lowGlucoseThreshold": {"$numberDouble": "3.9"}, "veryLowGlucoseThreshold": {"$numberDouble": "3.0"}},
		"dates": {"lastUpdatedReason": ["UPLOAD"], "hasFirstData": false, "hasLastData": true, "lastData": {"$date": {"$numberLong": "1704164645678"}},
			"hasLastUploadDate": false, "hasOutdatedSince": false}}`, string(before["cgmStats"]))
	post(summaryBody("", "0b"))
	require.Equal(t, []string{"bgmStats", "cgmStats"}, keys(halves()))
	require.Equal(t, before["cgmStats"], halves()["cgmStats"], "the other half stays")

	withoutID := summaryBody("0c", "")
	delete(withoutID["cgmStats"].(map[string]any), "id")
	post(withoutID)
	require.Equal(t, before["cgmStats"], halves()["cgmStats"], "statistics without an id are ignored")
	post(summaryBody("0d", ""))
	require.Contains(t, string(halves()["cgmStats"]), `"0d"`)
	updated := w.stored(t, id)["updatedTime"]
	post(nil)
	require.NotContains(t, w.stored(t, id), "summary")
	require.NotEqual(t, updated, w.stored(t, id)["updatedTime"])

	w.setPatient(t, id, bson.M{"$set": bson.M{"summary": nil}})
	post(summaryBody("0e", ""))
	require.Contains(t, string(halves()["cgmStats"]), `"0e"`)
	w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+testkit.NewUserID()+"/summary", summaryBody("0a", "")).OK(t, http.StatusNoContent)
}

func keys(members map[string]json.RawMessage) []string {
	names := []string{}
	for _, name := range []string{"bgmStats", "cgmStats"} {
		if _, ok := members[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

func TestSummaryIsShownAsItWasSent(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	body := summaryBody("0a", "0b")
	period := map[string]any{"timeInTargetPercent": 0.7, "hasTimeInTargetPercent": true, "timeInTargetRecords": 12, "totalRecordsDelta": -3}
	shown := map[string]any{}
	for _, half := range []string{"cgmStats", "bgmStats"} {
		body[half].(map[string]any)["periods"] = map[string]any{"14d": complete(t, w.App, half, period)}
	}
	w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+id+"/summary", body).OK(t, http.StatusOK)
	w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).OK(t, http.StatusOK).Into(t, &shown)
	for _, half := range []string{"cgmStats", "bgmStats"} {
		periods := shown["summary"].(map[string]any)[half].(map[string]any)["periods"].(map[string]any)
		for name, value := range period {
			require.EqualValues(t, value, periods["14d"].(map[string]any)[name], half+" "+name)
		}
	}
	stored := string(w.stored(t, id)["summary"])
	require.Contains(t, stored, `"timeInTargetRecords":{"$numberInt":"12"}`)
	require.Contains(t, stored, `"timeInTargetPercent":{"$numberDouble":"0.7"}`)
}

// complete adds the members that the interface document requires of a period.
func complete(t *testing.T, app *testkit.App, half string, period map[string]any) map[string]any {
	t.Helper()
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]struct{ Type string }
			}
		}
	}
	app.Call(t, testkit.Nobody, http.MethodGet, "/openapi.json", nil).OK(t, http.StatusOK).Into(t, &document)
	schema := document.Components.Schemas[half[:3]+"Period.v1"]
	require.NotEmpty(t, schema.Properties)
	whole := map[string]any{}
	for _, name := range schema.Required {
		whole[name] = map[string]any{"boolean": false, "integer": 0, "number": 1}[schema.Properties[name].Type]
	}
	for name, value := range period {
		whole[name] = value
	}
	return whole
}

func TestUpdatePatientSummaryRefusesBadBodies(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	changed := func(part, member string, value any) map[string]any {
		body := summaryBody("0a", "")
		half := body["cgmStats"].(map[string]any)
		if part == "" {
			half[member] = value
		} else {
			half[part].(map[string]any)[member] = value
		}
		return body
	}
	for name, body := range map[string]any{
		"null": "null", "cut": `{"cgmStats":`, "array": "[]", "long id": changed("", "id", "0123456789abcdef012345678"), "letters": changed("", "id", "xyz"),
		"no config": map[string]any{"cgmStats": map[string]any{"id": "0a", "config": nil}}, "fraction": changed("config", "schemaVersion", 1.5),
		"no zone":          changed("dates", "lastData", "2024-01-02T03:04:05"),
		"out of range":     changed("dates", "firstData", "9999-12-31T23:59:59-01:00"),
		"nameless period":  changed("", "periods", map[string]any{"": complete(t, w.App, "cgmStats", nil)}),
		"period with path": changed("", "periods", map[string]any{"a.b": complete(t, w.App, "cgmStats", nil)}),
		"period with nul":  changed("", "periods", map[string]any{"a\x00b": complete(t, w.App, "cgmStats", nil)}),
	} {
		answer := w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+id+"/summary", body)
		require.Equal(t, http.StatusBadRequest, answer.Status, name)
		require.NotContains(t, w.stored(t, id), "summary", name)
	}
}

func TestDeletePatientSummary(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	cgm, bgm := bson.NewObjectID().Hex(), bson.NewObjectID().Hex()
	id := w.add(t, nil)["id"].(string)
	w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+id+"/summary", summaryBody(cgm, bgm)).OK(t, http.StatusOK)
	before := w.stored(t, id)
	path := func(summaryID string) string { return "/v1/summaries/" + summaryID + "/clinics" }
	w.Call(t, w.admin, http.MethodDelete, path(cgm), nil).OK(t, http.StatusForbidden)
	w.Call(t, testkit.Service, http.MethodDelete, path("xyz"), nil).OK(t, http.StatusBadRequest)
	w.Call(t, testkit.Service, http.MethodDelete, path(bson.NewObjectID().Hex()), nil).OK(t, http.StatusNoContent)
	w.Call(t, testkit.Service, http.MethodDelete, path(cgm), nil).OK(t, http.StatusOK)
	require.NotContains(t, string(w.stored(t, id)["summary"]), "cgmStats")
	require.Contains(t, string(w.stored(t, id)["summary"]), bgm)
	w.Call(t, testkit.Service, http.MethodDelete, path(cgm), nil).OK(t, http.StatusNoContent)
	w.Call(t, testkit.Service, http.MethodDelete, path(bgm), nil).OK(t, http.StatusOK)
	require.JSONEq(t, `{}`, string(w.stored(t, id)["summary"]))
	require.Equal(t, before["updatedTime"], w.stored(t, id)["updatedTime"])
}

func summaryBody(cgm, bgm string) map[string]any {
	body := map[string]any{}
	if cgm != "" {
		body["cgmStats"] = statistics(cgm)
	}
	if bgm != "" {
		body["bgmStats"] = statistics(bgm)
	}
	return body
}

// statistics are the least that is accepted.
func statistics(id string) map[string]any {
	return map[string]any{
		"id": id,
		"config": map[string]any{
			"schemaVersion": 5, "highGlucoseThreshold": 10, "veryHighGlucoseThreshold": 13.9, "lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3,
		},
		"dates": map[string]any{
			"lastUpdatedReason": []string{"UPLOAD"}, "hasFirstData": false, "hasLastData": true, "lastData": "2024-01-02T03:04:05.678Z",
			"hasLastUploadDate": false, "hasOutdatedSince": false,
		},
	}
}

// TestEmptyReasonsOfASummaryAreKept: absent and empty differ, in the store and in answers.
func TestEmptyReasonsOfASummaryAreKept(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	patient := w.add(t, nil)["id"]
	dates := func(extra string) string {
		return `{"cgmStats":{"id":"0123456789abcdef01234567","config":{"schemaVersion":1,"highGlucoseThreshold":10,"veryHighGlucoseThreshold":13.9,"lowGlucoseThreshold":3.9,"veryLowGlucoseThreshold":3},"periods":{},"dates":{"hasFirstData":false,"hasLastData":false,"hasLastUploadDate":false,"hasOutdatedSince":false` + extra + `}}}`
	}
	for extra, want := range map[string]any{`,"outdatedReason":[]`: []any{}, "": nil, `,"outdatedReason":["x"]`: []any{"x"}} {
		w.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+patient.(string)+"/summary", dates(extra)).OK(t, http.StatusOK)
		shown := w.Call(t, w.admin, http.MethodGet, w.patient(patient), nil).OK(t, http.StatusOK).Object(t)
		require.Equal(t, want, shown["summary"].(map[string]any)["cgmStats"].(map[string]any)["dates"].(map[string]any)["outdatedReason"], extra)
	}
}
