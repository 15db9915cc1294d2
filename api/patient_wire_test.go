package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

var aTime = time.Date(2024, 5, 6, 7, 8, 9, 120_000_000, time.UTC)

func wireJSON(t *testing.T, p *patients.Patient) string {
	t.Helper()
	encoded, err := json.Marshal(patientWire(p))
	require.NoError(t, err)
	return string(encoded)
}

func TestSparsestPatientHasAllMembersThatAreAlwaysPresent(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{
		"id": "a1b2c3d4e5", "fullName": "", "birthDate": "0001-01-01",
		"createdTime": "2024-05-06T07:08:09.12Z", "updatedTime": "2024-05-06T07:08:09.12Z",
		"tags": null, "sites": [], "reviews": [], "dataSources": null,
		"connectionRequests": {"abbott": [], "dexcom": [], "twiist": []}
	}`, wireJSON(t, &patients.Patient{UserID: "a1b2c3d4e5", CreatedTime: aTime, UpdatedTime: aTime}))
}

func TestFullPatientIsShownWithoutInternalFields(t *testing.T) {
	t.Parallel()
	tag, site, source := bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID()
	stored := patients.Patient{
		ID: bson.NewObjectID(), ClinicID: bson.NewObjectID(), UserID: "a1b2c3d4e5", BirthDate: "2001-02-03",
		Email: new(string), FullName: new("Ann"), MRN: new("m1"), TargetDevices: []string{}, RequireUniqueMRN: true,
		CreatedTime: aTime, UpdatedTime: aTime,
		Permissions: &patients.Permissions{View: &patients.Grant{}},
		Tags:        patients.TagIDs{tag}, Sites: patients.Sites{{ID: site, Name: "East"}},
		DataSources: &[]patients.DataSource{{DataSourceID: &source, ProviderName: "dexcom", State: "pending"}},
		IsMigrated:  true, LegacyClinicianIDs: []string{"x"}, InvitedBy: new("y"),
		Summary:                &summary.Summary{},
		Reviews:                []patients.Review{{ClinicianID: "c", Time: aTime}},
		GlycemicRanges:         &patients.GlycemicRanges{Type: "preset", Preset: new("adaHighRisk")},
		DiagnosisType:          new("type1"),
		LastUploadReminderTime: &aTime,
		ProviderConnectionRequests: map[string][]patients.ConnectionRequest{
			"twiist": {{ProviderName: "twiist", CreatedTime: aTime}},
		},
		LastRequestedDexcomConnectTime: &aTime,
		EHRSubscriptions:               map[string]patients.EHRSubscription{"summaryAndReports": {}},
	}
	require.JSONEq(t, `{
		"id": "a1b2c3d4e5", "fullName": "Ann", "birthDate": "2001-02-03", "email": "", "mrn": "m1", "targetDevices": [],
		"createdTime": "2024-05-06T07:08:09.12Z", "updatedTime": "2024-05-06T07:08:09.12Z",
		"permissions": {"view": {}}, "summary": {}, "lastUploadReminderTime": "2024-05-06T07:08:09.12Z",
		"tags": ["`+tag.Hex()+`"], "sites": [{"id": "`+site.Hex()+`", "name": "East"}],
		"reviews": [{"clinicianId": "c", "time": "2024-05-06T07:08:09.12Z"}],
		"dataSources": [{"dataSourceId": "`+source.Hex()+`", "providerName": "dexcom", "state": "pending"}],
		"glycemicRanges": {"type": "preset", "preset": "adaHighRisk"}, "diagnosisType": "type1",
		"connectionRequests": {
			"abbott": [],
			"dexcom": [{"providerName": "dexcom", "createdTime": "2024-05-06T07:08:09.12Z"}],
			"twiist": [{"providerName": "twiist", "createdTime": "2024-05-06T07:08:09.12Z"}]
		}
	}`, wireJSON(t, &stored))
	require.Same(t, stored.Summary, patientWire(&stored).Summary)
}

func TestEmptyListsAndOddValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*patients.Patient)
		member string
		shown  string // "" means that the member is absent
	}{
		"empty tags are null":           {func(p *patients.Patient) { p.Tags = patients.TagIDs{} }, "tags", `null`},
		"empty data sources stay empty": {func(p *patients.Patient) { p.DataSources = &[]patients.DataSource{} }, "dataSources", `[]`},
		"null data sources":             {func(p *patients.Patient) { p.DataSources = new([]patients.DataSource) }, "dataSources", `null`},
		"empty permissions":             {func(p *patients.Patient) { p.Permissions = &patients.Permissions{} }, "permissions", `{}`},
		"no day":                        {func(p *patients.Patient) { p.BirthDate = "2001-02-31" }, "birthDate", `"0001-01-01"`},
		"cleared diagnosis":             {func(p *patients.Patient) { p.DiagnosisType = new(string) }, "diagnosisType", ``},
		"unknown diagnosis":             {func(p *patients.Patient) { p.DiagnosisType = new("type9") }, "diagnosisType", ``},
		"empty mrn":                     {func(p *patients.Patient) { p.MRN = new(string) }, "mrn", ``},
		"unknown preset": {func(p *patients.Patient) {
			p.GlycemicRanges = &patients.GlycemicRanges{Type: "preset", Preset: new("x")}
		}, "glycemicRanges", ``},
		"missing preset":         {func(p *patients.Patient) { p.GlycemicRanges = &patients.GlycemicRanges{Type: "preset"} }, "glycemicRanges", ``},
		"unknown type of ranges": {func(p *patients.Patient) { p.GlycemicRanges = &patients.GlycemicRanges{Type: "x"} }, "glycemicRanges", ``},
		"custom without ranges": {func(p *patients.Patient) { p.GlycemicRanges = &patients.GlycemicRanges{Type: "custom"} }, "glycemicRanges",
			`{"type": "custom", "custom": {"name": "", "thresholds": []}}`},
		"unknown unit": {func(p *patients.Patient) { p.GlycemicRanges = thresholds(3.9, "mol") }, "glycemicRanges", ``},
		"a double": {func(p *patients.Patient) { p.GlycemicRanges = thresholds(3.9, "mmol/L") }, "glycemicRanges",
			`{"type": "custom", "custom": {"name": "own", "thresholds": [{"name": "low", "upperBound": {"value": 3.9, "units": "mmol/L"}}]}}`},
		"a double of 32 bits": {func(p *patients.Patient) { p.GlycemicRanges = thresholds(3.9000000953674316, "mmol/L") }, "glycemicRanges",
			`{"type": "custom", "custom": {"name": "own", "thresholds": [{"name": "low", "upperBound": {"value": 3.9, "units": "mmol/L"}}]}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := patients.Patient{UserID: "a1b2c3d4e5"}
			test.change(&stored)
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(wireJSON(t, &stored)), &members))
			if test.shown == "" {
				require.NotContains(t, members, test.member)
				return
			}
			require.JSONEq(t, test.shown, string(members[test.member]))
		})
	}
}

func thresholds(value float64, units string) *patients.GlycemicRanges {
	return &patients.GlycemicRanges{Type: "custom", Custom: &patients.CustomRanges{Name: "own", Thresholds: []patients.Threshold{
		{Name: "low", UpperBound: patients.UpperBound{Value: value, Units: units}},
	}}}
}

func TestDetailsKeepAbsentNullAndEmptyApart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want func(t *testing.T, d patients.Details)
	}{
		"absent": {`{}`, func(t *testing.T, d patients.Details) {
			require.Nil(t, d.Tags)
			require.Nil(t, d.Sites)
			require.Nil(t, d.DataSources)
			require.Nil(t, d.Reviews)
			require.Nil(t, d.TargetDevices)
			require.Nil(t, d.GlycemicRanges)
			require.Nil(t, d.DiagnosisType)
			require.Nil(t, d.Email)
			require.Nil(t, d.MRN)
		}},
		"null": {`{"tags": null, "dataSources": null, "reviews": null}`, func(t *testing.T, d patients.Details) {
			require.Nil(t, d.Tags)
			require.Nil(t, d.DataSources)
			require.Nil(t, d.Reviews)
		}},
		"empty": {`{"tags": [], "sites": [], "dataSources": [], "reviews": [], "targetDevices": [], "diagnosisType": "", "glycemicRanges": {}}`,
			func(t *testing.T, d patients.Details) {
				require.NotNil(t, d.Tags)
				require.NotNil(t, d.Sites)
				require.NotNil(t, d.DataSources)
				require.NotNil(t, d.Reviews)
				require.NotNil(t, d.TargetDevices)
				require.Equal(t, new(""), d.DiagnosisType)
				require.Equal(t, &patients.GlycemicRanges{Type: "preset", Preset: new("adaStandard")}, d.GlycemicRanges)
			}},
		"custom without content": {`{"glycemicRanges": {"type": "custom", "preset": "adaHighRisk"}}`, func(t *testing.T, d patients.Details) {
			require.Equal(t, &patients.GlycemicRanges{Type: "custom"}, d.GlycemicRanges)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body gen.PatientV1
			require.NoError(t, json.Unmarshal([]byte(test.body), &body))
			details, err := patientDetails(&body)
			require.NoError(t, err)
			test.want(t, details)
		})
	}
}
