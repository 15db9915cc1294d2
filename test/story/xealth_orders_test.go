package story_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestAnOrderThatMatchedNobodyIsReplayed: the number in the chart of the clinic was wrong. It is mended, and the order acts.
func TestAnOrderThatMatchedNobodyIsReplayed(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinicID, _ := service.NewClinic(t)
	service.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+clinicID+"/settings/ehr", map[string]any{
		"enabled": true, "provider": "xealth", "sourceId": "northshore", "mrnIdType": "EMPI",
		"procedureCodes":   map[string]any{"createAccountAndEnableReports": "program"},
		"scheduledReports": map[string]any{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}).OK(t, http.StatusOK)
	patient := service.NewPatient(t, clinicID, "Ann Example", map[string]any{"mrn": "e-1", "birthDate": "1985-01-11"})
	service.Standin.AddOrder("northshore", "o-1", map[string]any{
		"orderInfo":       map[string]any{"deployment": "northshore", "orderId": "o-1"},
		"patientIdentity": map[string]any{"ids": []any{map[string]any{"id": "e-2", "type": "EMPI"}}},
		"datasets":        map[string]any{"demographicsV1": map[string]any{"name": map[string]any{"given": []string{"Ann"}}, "birthDate": "1985-01-11"}},
	})
	service.Do(t, testkit.Nobody, fromXealth(t, service.URL+"/v1/xealth/notification", map[string]any{
		"eventId": "e", "eventTimeStamp": "2025-01-14T00:23:47.580Z", "eventType": "order", "eventContext": "new",
		"orderId": "o-1", "deployment": "northshore", "programId": "program",
	})).OK(t, http.StatusBadRequest)

	stopped := func(query string) []any {
		return service.Call(t, testkit.Service, http.MethodGet, "/v1/xealth/orders"+query, nil).OK(t, http.StatusOK).Object(t)["orders"].([]any)
	}
	orders := stopped("?reason=preorder_required")
	require.Len(t, orders, 1)
	replay := "/v1/xealth/orders/" + orders[0].(map[string]any)["id"].(string) + "/replay"
	service.Call(t, testkit.Service, http.MethodPost, replay, nil).OK(t, http.StatusConflict)
	service.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+clinicID+"/patients/"+patient["id"].(string), map[string]any{
		"fullName": "Ann Example", "birthDate": "1985-01-11", "mrn": "e-2",
	}).OK(t, http.StatusOK)
	require.Len(t, stopped("?outcome=pending"), 1)
	for range 2 {
		service.Call(t, testkit.Service, http.MethodPost, replay, nil).OK(t, http.StatusOK)
	}
	require.Empty(t, stopped(""))
	require.Equal(t, 1, service.Standin.Count("POST /v1/clinics/"), "no second account")
}
