package client_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/mock/gomock"

	"github.com/tidepool-org/clinic/client"
)

func TestAbsentAndEmptyDiffer(t *testing.T) {
	t.Parallel()
	sites := []client.SiteV1{{Name: "North"}}
	tests := map[string]struct {
		value   any
		has     string
		hasNone string
	}{
		"patient, nil sites":           {client.PatientV1{FullName: "J"}, `"fullName":"J"`, `"sites"`},
		"patient, no sites":            {client.PatientV1{Sites: []client.SiteV1{}}, `"sites":[]`, "null]"},
		"patient, sites":               {client.PatientV1{Sites: sites}, `"name":"North"`, `"sites":null`},
		"pointer to a patient":         {&client.PatientV1{}, `"fullName"`, `"sites"`},
		"new patient, nil sites":       {client.CreatePatientV1{}, `{`, `"sites"`},
		"new patient, no sites":        {client.CreatePatientV1{Sites: []client.SiteV1{}}, `"sites":[]`, "null]"},
		"ranges, preset":               {client.GlycemicRangesV1{Type: "preset", Preset: client.ADAHighRisk}, `"preset":"adaHighRisk"`, `"custom"`},
		"ranges, custom":               {client.GlycemicRangesV1{Type: "custom", Custom: client.GlycemicRangesCustomV1{Name: "Mine"}}, `"custom":{"name":"Mine"`, `"preset"`},
		"settings, notes without GMI":  {client.EhrSettingsV1{}, `"includeGMI":false`, `"notes":null`},
		"a patient in a list of those": {client.PatientsV1{{}}, `"fullName"`, `"sites"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(test.value)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), test.has) || strings.Contains(string(got), test.hasNone) {
				t.Fatalf("%s lacks %s or has %s", got, test.has, test.hasNone)
			}
		})
	}
}

func TestPatientsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	const sent = `{"birthDate":"2001-02-03","dataSources":null,"fullName":"Jane Doe","reviews":null,"sites":[],"tags":[]}`
	var patient client.PatientV1
	if err := json.Unmarshal([]byte(sent), &patient); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(patient)
	if err != nil {
		t.Fatal(err)
	}
	var want, have map[string]any
	if json.Unmarshal([]byte(sent), &want) != nil || json.Unmarshal(got, &have) != nil {
		t.Fatal("no JSON")
	}
	for name := range want {
		if _, ok := have[name]; !ok || len(have) != len(want) {
			t.Fatalf("sent %s, got %s", sent, got)
		}
	}
}

func TestMocksServeManyTests(t *testing.T) {
	mock := client.NewMockClientWithResponsesInterface(gomock.NewController(t))
	for _, status := range []string{"one", "two"} {
		t.Run(status, func(t *testing.T) {
			mock.Reset(gomock.NewController(t))
			mock.EXPECT().GetClinicWithResponse(gomock.Any(), clinicID).Return(&client.GetClinicResponse{Body: []byte(status)}, nil)
			var c client.ClientWithResponsesInterface = mock
			response, err := c.GetClinicWithResponse(context.Background(), clinicID)
			if err != nil || string(response.Body) != status {
				t.Fatal(response, err)
			}
		})
	}
}
