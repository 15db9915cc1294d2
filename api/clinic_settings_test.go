package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func field(t *testing.T, app *testkit.App, clinicID, name string) string {
	t.Helper()
	raw, err := app.Store.Collection("clinics").FindOne(t.Context(), bson.D{{Key: "_id", Value: hexID(t, clinicID)}}).Raw()
	require.NoError(t, err)
	value, err := raw.LookupErr(name)
	if err != nil {
		return "absent"
	}
	text, err := bson.MarshalExtJSON(bson.D{{Key: "v", Value: value}}, true, false)
	require.NoError(t, err)
	return string(text[len(`{"v":`) : len(text)-1])
}

func TestSettingsAreStoredAndShown(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for name, test := range map[string]struct {
		method, path string
		body         any
		answer       string // "" means an empty body
		field        string
		stored       string
	}{
		"tier":                     {http.MethodPost, "/tier", `{"tier":"tier0300"}`, "", "tier", `"tier0300"`},
		"notifications":            {http.MethodPost, "/suppressed_notifications", `{"suppressedNotifications":{"patientClinicInvitation":false}}`, "", "suppressedNotifications", `{"patientClinicInvitation":false}`},
		"no notifications":         {http.MethodPost, "/suppressed_notifications", `{"suppressedNotifications":{}}`, "", "suppressedNotifications", `{}`},
		"restrictions":             {http.MethodPut, "/membership_restrictions", `{"restrictions":[{"emailDomain":"A.example","requiredIdp":"x"},{"emailDomain":"","requiredIdp":""},{"emailDomain":""}]}`, `{"restrictions":[{"emailDomain":"A.example","requiredIdp":"x"},{"emailDomain":""},{"emailDomain":""}]}`, "membershipRestrictions", `[{"emailDomain":"A.example","requiredIdp":"x"},{"emailDomain":""},{"emailDomain":""}]`},
		"empty restrictions":       {http.MethodPut, "/membership_restrictions", `{"restrictions":[]}`, `{}`, "membershipRestrictions", `null`},
		"no restrictions":          {http.MethodPut, "/membership_restrictions", `{}`, `{}`, "membershipRestrictions", `null`},
		"no body of restrictions":  {http.MethodPut, "/membership_restrictions", nil, `{}`, "membershipRestrictions", `null`},
		"MRN":                      {http.MethodPut, "/settings/mrn", `{"required":true,"unique":false}`, `{"required":true,"unique":false}`, "mrnSettings", `{"required":true,"unique":false}`},
		"limits":                   {http.MethodPut, "/settings/patient_count", `{"hardLimit":{"plan":0,"startDate":"2026-01-02T03:04:05.67+01:00","endDate":"2026-01-02T02:04:05.67Z"},"softLimit":{"plan":7}}`, `{"hardLimit":{"plan":0,"startDate":"2026-01-02T02:04:05.67Z","endDate":"2026-01-02T02:04:05.67Z"},"softLimit":{"plan":7}}`, "patientCountSettings", `{"hardLimit":{"plan":{"$numberInt":"0"},"startDate":{"$date":{"$numberLong":"1767319445670"}},"endDate":{"$date":{"$numberLong":"1767319445670"}}},"softLimit":{"plan":{"$numberInt":"7"}}}`},
		"no limits":                {http.MethodPut, "/settings/patient_count", `{}`, `{}`, "patientCountSettings", `{}`},
		"no body of limits":        {http.MethodPut, "/settings/patient_count", nil, `{}`, "patientCountSettings", `{}`},
		"EHR, as little as can be": {http.MethodPut, "/settings/ehr", `{"enabled":false,"provider":"xealth","sourceId":"","mrnIdType":"MR","procedureCodes":{},"scheduledReports":{"cadence":"DISABLED","onUploadEnabled":false,"onUploadNoteEventType":"Replace"},"tags":{},"flowsheets":{"icode":false}}`, `{"enabled":false,"provider":"xealth","sourceId":"","mrnIdType":"MR","procedureCodes":{},"scheduledReports":{"cadence":"DISABLED","onUploadEnabled":false},"tags":{"codes":null},"flowsheets":{"icode":false}}`, "ehrSettings", `{"enabled":false,"provider":"xealth","destinationIds":null,"procedureCodes":{},"sourceId":"","mrnIdType":"MR","scheduledReports":{"cadence":"DISABLED","onUploadEnabled":false,"onUploadNoteEventType":null},"tags":{"codes":null,"separator":null},"flowsheets":{},"notes":{}}`},
		"EHR, as much as can be":   {http.MethodPut, "/settings/ehr", `{"enabled":true,"provider":"redox","sourceId":"s","mrnIdType":"MRN","procedureCodes":{"enableSummaryReports":"1","disableSummaryReports":"2","createAccount":"3","createAccountAndEnableReports":""},"destinationIds":{"flowsheet":"f","notes":"n","results":"r"},"scheduledReports":{"cadence":"7d","onUploadEnabled":true},"tags":{"codes":[],"separator":","},"flowsheets":{"icode":true},"notes":{"includeGMI":true},"other":1}`, `{"enabled":true,"provider":"redox","sourceId":"s","mrnIdType":"MRN","procedureCodes":{"enableSummaryReports":"1","disableSummaryReports":"2","createAccount":"3","createAccountAndEnableReports":""},"destinationIds":{"flowsheet":"f","notes":"n","results":"r"},"scheduledReports":{"cadence":"7d","onUploadEnabled":true,"onUploadNoteEventType":"New"},"tags":{"codes":[],"separator":","},"flowsheets":{"icode":true},"notes":{"includeGMI":true}}`, "ehrSettings", `{"enabled":true,"provider":"redox","destinationIds":{"flowsheet":"f","notes":"n","results":"r"},"procedureCodes":{"enableSummaryReports":"1","disableSummaryReports":"2","createAccount":"3","createAccountAndEnableReports":""},"sourceId":"s","mrnIdType":"MRN","scheduledReports":{"cadence":"7d","onUploadEnabled":true,"onUploadNoteEventType":"New"},"tags":{"codes":[],"separator":","},"flowsheets":{"icode":true},"notes":{"includeGmi":true}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, admin := app.NewClinic(t)
			caller := testkit.Service
			if test.path == "/suppressed_notifications" {
				caller = testkit.User(admin)
			}
			before := testkit.Documents(t, app.Store, "clinics", bson.D{{Key: "_id", Value: hexID(t, id)}})[0]
			for range 2 { // a second identical call ends the same
				answer := app.Call(t, caller, test.method, "/v1/clinics/"+id+test.path, test.body).OK(t, http.StatusOK)
				require.JSONEq(t, test.stored, field(t, app, id, test.field))
				if test.answer == "" {
					require.Empty(t, answer.Body)
					continue
				}
				require.JSONEq(t, test.answer, string(answer.Body))
				require.JSONEq(t, test.answer, string(app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+test.path, nil).OK(t, http.StatusOK).Body))
			}
			after := testkit.Documents(t, app.Store, "clinics", bson.D{{Key: "_id", Value: hexID(t, id)}})[0]
			require.Greater(t, after["updatedTime"], before["updatedTime"])
			for _, document := range []bson.M{before, after} {
				delete(document, "updatedTime")
				delete(document, test.field)
			}
			require.Equal(t, before, after, "nothing else changes")
		})
	}
}

func TestSettingsRefuse(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, admin := app.NewClinic(t)
	before := storedClinic(t, app, id)
	ehr := `{"enabled":true,"provider":"redox","sourceId":"s","mrnIdType":"MRN","procedureCodes":{},"scheduledReports":{"cadence":"7d","onUploadEnabled":true},"tags":{},"flowsheets":{"icode":true}`
	for name, test := range map[string]struct {
		method, path string
		bodies       []any
	}{
		"tier":          {http.MethodPost, "/tier", []any{nil, `{}`, `{"tier":"tier0500"}`, `{"tier":""}`, `{"tier":null}`}},
		"notifications": {http.MethodPost, "/suppressed_notifications", []any{nil, `{}`, `{"suppressedNotifications":{"other":true}}`, `{"suppressedNotifications":{"patientClinicInvitation":null}}`}},
		"restrictions":  {http.MethodPut, "/membership_restrictions", []any{`{"restrictions":[{}]}`, `{"restrictions":null}`, `{"restrictions":[{"emailDomain":null}]}`}},
		"MRN":           {http.MethodPut, "/settings/mrn", []any{nil, `{}`, `{"required":true}`, `{"required":1,"unique":true}`}},
		"limits": {http.MethodPut, "/settings/patient_count", []any{
			`{"hardLimit":{}}`, `{"hardLimit":{"plan":-1}}`, `{"hardLimit":{"plan":1.5}}`, `{"hardLimit":null}`,
			`{"softLimit":{"plan":1,"startDate":"2026-02-31T00:00:00Z"}}`, `{"hardLimit":{"plan":1,"endDate":"2026-02-03T00:00:00"}}`,
			`{"hardLimit":{"plan":1,"endDate":"2026-02-03T00:00:00Z","startDate":"2026-02-03T00:00:01Z"}}`,
		}},
		"EHR": {http.MethodPut, "/settings/ehr", []any{
			nil, `{}`, ehr + `,"provider":"epic"}`, ehr + `,"mrnIdType":""}`, ehr + `,"destinationIds":{"flowsheet":"f"}}`, ehr + `,"destinationIds":null}`,
			ehr + `,"tags":{"separator":""}}`, ehr + `,"scheduledReports":{"cadence":"3d","onUploadEnabled":true}}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			caller := testkit.Service
			if test.path == "/suppressed_notifications" {
				caller = testkit.User(admin)
			} else {
				good := map[string]any{"/tier": `{"tier":"tier0200"}`, "/settings/mrn": `{"required":true,"unique":true}`, "/settings/ehr": ehr + `}`}[test.path]
				app.Call(t, caller, test.method, "/v1/clinics/"+noClinic+test.path, good).Fails(t, http.StatusNotFound, "clinic not found")
			}
			for _, body := range test.bodies {
				response := app.Call(t, caller, test.method, "/v1/clinics/"+id+test.path, body)
				require.Equal(t, http.StatusBadRequest, response.Status, "%v: %s", body, response.Body)
			}
		})
	}
	require.JSONEq(t, before, storedClinic(t, app, id))
}

func TestSettingsThatWereNeverMade(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, admin := app.NewClinic(t)
	for _, path := range []string{"/settings/mrn", "/settings/ehr"} {
		app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+path, nil).Fails(t, http.StatusNotFound, "not found")
	}
	for _, path := range []string{"/settings/mrn", "/settings/ehr", "/settings/patient_count", "/patient_count", "/membership_restrictions"} {
		app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+noClinic+path, nil).Fails(t, http.StatusNotFound, "clinic not found")
	}
	require.JSONEq(t, `{}`, string(app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+"/membership_restrictions", nil).OK(t, http.StatusOK).Body))
	require.JSONEq(t, `{"hardLimit":{"plan":250}}`, string(app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+"/settings/patient_count", nil).OK(t, http.StatusOK).Body))
}

func TestEHRSettingsThatAnOlderWriterLeftEmpty(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, _ := app.NewClinic(t)
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, id), bson.D{{Key: "$set", Value: bson.D{{Key: "ehrSettings", Value: bson.D{{Key: "enabled", Value: true}}}}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"enabled":true,"provider":"","sourceId":"","mrnIdType":"MRN","procedureCodes":{},"scheduledReports":{"cadence":"14d","onUploadEnabled":false},"tags":{"codes":null},"flowsheets":{"icode":false}}`,
		string(app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+id+"/settings/ehr", nil).OK(t, http.StatusOK).Body))
}

func TestLimitsFollowTierAndCountry(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, _ := app.NewClinic(t)
	path := "/v1/clinics/" + id
	shown := func() string {
		return string(app.Call(t, testkit.Service, http.MethodGet, path+"/settings/patient_count", nil).OK(t, http.StatusOK).Body)
	}
	app.Call(t, testkit.Service, http.MethodPost, path+"/tier", `{"tier":"tier0200"}`).OK(t, http.StatusOK)
	require.JSONEq(t, `{}`, shown())
	answer := app.Call(t, testkit.Service, http.MethodPut, path+"/settings/patient_count", `{"hardLimit":{"plan":3}}`).OK(t, http.StatusOK)
	require.JSONEq(t, `{}`, string(answer.Body), "stored, but without effect")
	app.Call(t, testkit.Service, http.MethodPost, path+"/tier", `{"tier":"tier0100"}`).OK(t, http.StatusOK)
	require.JSONEq(t, `{"hardLimit":{"plan":3}}`, shown())
	app.Call(t, testkit.Service, http.MethodPut, path, map[string]any{"name": "x", "preferredBgUnits": "mg/dL", "country": "CA"}).OK(t, http.StatusOK)
	require.JSONEq(t, `{}`, shown())
}

func TestPatientCount(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	id, admin := app.NewClinic(t)
	path := "/v1/clinics/" + id + "/patient_count"
	source := func(provider, state any) bson.D {
		return bson.D{{Key: "providerName", Value: provider}, {Key: "state", Value: state}}
	}
	for userID, sources := range map[string]any{
		"p1": bson.A{source("dexcom", "connected"), source("dexcom", "error")},
		"p2": bson.A{source("twiist", "pending"), source("dexcom", "connected")},
		"p3": nil,
		"p4": bson.A{bson.D{{Key: "providerName", Value: "dexcom"}}},
	} {
		_, err := app.Store.Collection("patients").InsertOne(t.Context(), bson.D{
			{Key: "clinicId", Value: hexID(t, id)}, {Key: "userId", Value: userID}, {Key: "dataSources", Value: sources},
		})
		require.NoError(t, err)
	}
	shown := func() string {
		return string(app.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusOK).Body)
	}
	require.JSONEq(t, `{"total":0,"demo":0,"plan":0}`, shown(), "as it is stored")
	const counted = `{"total":4,"demo":0,"plan":3,"providers":{"dexcom":{"states":{"connected":2,"error":1},"total":3},"twiist":{"states":{"pending":1},"total":1}}}`
	for range 2 {
		require.Empty(t, app.Call(t, testkit.Service, http.MethodPost, path+"/refresh", nil).OK(t, http.StatusOK).Body)
		require.JSONEq(t, counted, shown())
	}
	require.JSONEq(t, `{"total":{"$numberInt":"4"},"demo":{"$numberInt":"0"},"plan":{"$numberInt":"3"},"providers":{
		"dexcom":{"states":{"connected":{"$numberInt":"2"},"error":{"$numberInt":"1"}},"total":{"$numberInt":"3"}},
		"twiist":{"states":{"pending":{"$numberInt":"1"}},"total":{"$numberInt":"1"}}}}`, field(t, app, id, "patientCount"))

	for _, older := range []bson.D{
		{{Key: "$unset", Value: bson.D{{Key: "patientCount", Value: ""}, {Key: "derived", Value: ""}}}},
		{{Key: "$set", Value: bson.D{{Key: "patientCount", Value: bson.D{{Key: "patientCount", Value: 9}}}}}},
	} {
		_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, id), older)
		require.NoError(t, err)
		require.JSONEq(t, counted, shown())
		require.NotContains(t, field(t, app, id, "patientCount"), "patientCount")
	}
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+noClinic+"/patient_count/refresh", nil).Fails(t, http.StatusNotFound, "clinic not found")
}
