package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestSendUploadReminder(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	patient := w.add(t, nil)
	path := w.patient(patient["id"], "upload_reminder")
	require.NotContains(t, w.stored(t, patient["id"]), "lastUploadReminderTime")
	w.Call(t, testkit.Service, http.MethodPost, path, nil).OK(t, http.StatusForbidden)
	last := moment(t, patient["updatedTime"])
	for range 2 {
		reminded := w.Call(t, w.admin, http.MethodPost, path, nil).OK(t, http.StatusOK).Object(t)
		require.Equal(t, reminded["updatedTime"], reminded["lastUploadReminderTime"])
		require.True(t, moment(t, reminded["updatedTime"]).After(last))
		last = moment(t, reminded["updatedTime"])
	}
	require.Contains(t, string(w.stored(t, patient["id"])["lastUploadReminderTime"]), `"$date"`)
	w.Call(t, w.admin, http.MethodPost, w.patient(testkit.NewUserID(), "upload_reminder"), nil).Fails(t, http.StatusNotFound, "patient not found")
}

func TestConnectProvider(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	modified := bson.DateTime(1677906367891)
	tests := map[string]struct {
		sources bson.A
		index   int
		state   string
	}{
		"never connected": {bson.A{bson.M{"providerName": "dexcom", "state": "error"}}, 0, "pending"},
		"null time":       {bson.A{bson.M{"providerName": "dexcom", "state": "pending", "modifiedTime": nil}}, 0, "pending"},
		"connected once":  {bson.A{bson.M{"providerName": "dexcom", "state": "error", "modifiedTime": modified}}, 0, "pendingReconnect"},
		"the first of two": {bson.A{
			bson.M{"providerName": "twiist", "state": "connected"},
			bson.M{"providerName": "dexcom", "state": "error"},
			bson.M{"providerName": "dexcom", "state": "connected", "modifiedTime": modified},
		}, 1, "pending"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := w.add(t, nil)["id"]
			w.setPatient(t, id, bson.M{"$set": bson.M{"dataSources": test.sources}})
			start := time.Now().Add(-time.Second)
			answer := w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
			require.Empty(t, answer.Body)
			patient := w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t)
			now := moment(t, patient["updatedTime"])
			require.True(t, now.After(start))
			for i, source := range patient["dataSources"].([]any) {
				source := source.(map[string]any)
				if i != test.index {
					require.Equal(t, test.sources[i].(bson.M)["state"], source["state"])
					require.NotContains(t, source, "expirationTime")
					continue
				}
				require.Equal(t, test.state, source["state"])
				require.Equal(t, now.Add(720*time.Hour), moment(t, source["expirationTime"]))
				if test.state == "pending" {
					require.NotContains(t, source, "modifiedTime")
				} else {
					require.Equal(t, patient["updatedTime"], source["modifiedTime"])
				}
			}
			require.Equal(t, map[string]any{"abbott": []any{}, "twiist": []any{}, "dexcom": []any{
				map[string]any{"providerName": "dexcom", "createdTime": patient["updatedTime"]},
			}}, patient["connectionRequests"])
		})
	}
}

func TestConnectProviderAgainPutsTheNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"dataSources": []any{
		map[string]any{"providerName": "dexcom", "state": "connected", "modifiedTime": "2023-03-04T05:06:07Z"},
		map[string]any{"providerName": "abbott", "state": "pending"},
	}})["id"]
	for range 3 {
		w.Call(t, testkit.Service, http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
	}
	w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "abbott"), nil).OK(t, http.StatusNoContent)
	var stored map[string][]struct {
		ProviderName string
		CreatedTime  map[string]map[string]string
	}
	require.NoError(t, json.Unmarshal(w.stored(t, id)["providerConnectionRequests"], &stored))
	require.Len(t, stored["abbott"], 1)
	require.Len(t, stored["dexcom"], 3)
	for i := range 2 {
		require.Greater(t, stored["dexcom"][i].CreatedTime["$date"]["$numberLong"], stored["dexcom"][i+1].CreatedTime["$date"]["$numberLong"])
	}
	require.Equal(t, map[string]any{
		"abbott": map[string]any{"states": map[string]any{"pending": 1.0}, "total": 1.0},
		"dexcom": map[string]any{"states": map[string]any{"pendingReconnect": 1.0}, "total": 1.0},
	}, w.count(t)["providers"])
	w.requireCensus(t)
}

func TestConnectProviderErrors(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}}})["id"].(string)
	w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "fitbit"), nil).OK(t, http.StatusBadRequest)
	w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "abbott"), nil).Fails(t, http.StatusNotFound, "patient not found")
	w.Call(t, w.admin, http.MethodPost, w.patient(testkit.NewUserID(), "connect", "abbott"), nil).
		Fails(t, http.StatusNotFound, "error finding patient: patient not found")
	w.Call(t, testkit.User(id), http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusForbidden)
}

func TestConnectProviderWithRequestsThatOlderWritersLeft(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}}})["id"]
	for _, left := range []any{nil, bson.M{"dexcom": nil}} {
		w.setPatient(t, id, bson.M{"$set": bson.M{"providerConnectionRequests": left}})
		w.Call(t, w.admin, http.MethodPost, w.patient(id, "connect", "dexcom"), nil).OK(t, http.StatusNoContent)
		requests := w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t)["connectionRequests"].(map[string]any)
		require.Len(t, requests["dexcom"], 1)
	}
}
