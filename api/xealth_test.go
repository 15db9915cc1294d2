package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

var xealthRoutes = map[string]string{
	"preorder": http.MethodPost, "notification": http.MethodPost, "programs": http.MethodPut, "program": http.MethodPut,
}

func xealthRequest(t *testing.T, app *testkit.App, path, body string, headers ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), xealthRoutes[path], app.URL+"/v1/xealth/"+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

func TestXealthCredential(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	const required, invalid = "unauthorized: bearer token is required", "unauthorized: bearer token is invalid"
	for header, message := range map[string]string{
		"": required, "Bearer": required, "bearer " + testkit.XealthToken: required, "Basic " + testkit.XealthToken: required,
		testkit.XealthToken: required, "Bearer  " + testkit.XealthToken: invalid, "Bearer " + testkit.XealthToken + "2": invalid,
		"Bearer " + strings.ToUpper(testkit.XealthToken): invalid,
	} {
		for path := range xealthRoutes {
			// The body is not looked at before the credential.
			app.Do(t, testkit.Service, xealthRequest(t, app, path, `{`, "Authorization", header)).Fails(t, http.StatusUnauthorized, message)
		}
	}
}

func TestXealthWithoutConfiguredToken(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Xealth.BearerToken = "" }))
	app.Do(t, testkit.Nobody, xealthRequest(t, app, "preorder", `{}`, "Authorization", "Bearer x")).Fails(t, http.StatusUnauthorized, "unauthorized: bearer token is invalid")
}

func TestXealthOff(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Xealth = config.Xealth{} }))
	for path := range xealthRoutes {
		app.Do(t, testkit.Nobody, xealthRequest(t, app, path, `{`)).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	}
	get := func(path string) testkit.Response {
		return app.Call(t, testkit.Nobody, http.MethodGet, "/v1/xealth/report/"+path, nil)
	}
	get("web/viewer.html").Fails(t, http.StatusBadRequest, "Invalid format for parameter clinicId: query parameter 'clinicId' is required")
	get("web/viewer.html?clinicId=a&patientId=b&restricted_token=c").Fails(t, http.StatusInternalServerError, "Internal Server Error")
	get("web/viewer.css").OK(t, http.StatusOK)

	names, err := app.Store.ListCollectionNames(t.Context(), bson.M{})
	require.NoError(t, err)
	require.Subset(t, names, []string{"xealth_preorder", "xealth_report_view"}, "the indexes are made all the same")
}

func TestXealthBodies(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	const json = "application/json"
	tests := []struct {
		path, media, body string
		status            int
	}{
		{"preorder", json, `{"eventType":`, http.StatusBadRequest},
		{"preorder", json, ``, http.StatusBadRequest},
		{"preorder", json, `null`, http.StatusBadRequest},
		{"preorder", json, `[]`, http.StatusBadRequest},
		{"preorder", json, `{"deployment":5}`, http.StatusBadRequest},
		{"preorder", json, `{"datasets":{"demographicsV1":{"birthDate":"01/11/1985"}}}`, http.StatusBadRequest},
		{"preorder", json, `{"datasets":{"demographicsV1":{"birthDate":""}}}`, http.StatusBadRequest},
		{"preorder", json, `{"formData":{"userInput":[]}}`, http.StatusBadRequest},
		{"preorder", json, `{"formData":{"userInput":{"patient":{"email":5}}}}`, http.StatusBadRequest},
		{"preorder", json, `{} {}`, http.StatusBadRequest},
		{"preorder", "", `{"eventType":"preorder","eventContext":"initial"}`, http.StatusNotFound},
		{"preorder", "text/plain", `{"eventType":"preorder","eventContext":"initial"}`, http.StatusNotFound},
		{"programs", json, `{`, http.StatusBadRequest},
		{"programs", json, `{"deployment":5}`, http.StatusBadRequest},
		{"programs", "", `{}`, http.StatusUnsupportedMediaType},
		{"programs", "text/plain", `{}`, http.StatusUnsupportedMediaType},
		{"programs", "", ``, http.StatusOK},
		{"programs", json + "; charset=utf-8", `{"more":1}`, http.StatusOK},
		{"program", json, `{"datasets":{"demographicsV1":{"birthDate":"2001-02-30"}}}`, http.StatusBadRequest},
		{"program", "application/xml", `<a/>`, http.StatusUnsupportedMediaType},
		{"program", "", ``, http.StatusNotFound},
		{"notification", json, `{"eventTimeStamp":"yesterday"}`, http.StatusBadRequest},
		{"notification", "application/x-www-form-urlencoded", `a=b`, http.StatusUnsupportedMediaType},
		{"notification", "", ``, http.StatusOK},
	}
	for _, test := range tests {
		request := xealthRequest(t, app, test.path, test.body, "Authorization", "Bearer "+testkit.XealthToken)
		if test.media != "" {
			request.Header.Set("Content-Type", test.media)
		}
		answer := app.Do(t, testkit.Nobody, request)
		require.Equal(t, test.status, answer.Status, "%v: %s", test, answer.Body)
		require.NotContains(t, string(answer.Body), "1985", "no data of a patient")
	}
}

func TestXealthEventsOfPreorder(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	for message, members := range map[string]object{
		"bad request: expected eventType='preorder' got order": {"eventType": "order", "eventContext": "x"},
		"bad request: expected eventType='preorder' got ":      {"eventType": ""},
		"bad request: invalid event context Initial":           {"eventContext": "Initial"},
		"bad request: invalid event context ":                  {"eventContext": ""},
	} {
		x.preorder(t, x.initial(newAdult(), members)).Fails(t, http.StatusBadRequest, message)
	}
	x.preorder(t, x.initial(newAdult(), object{"programId": "another"})).OK(t, http.StatusOK)
}

// steps are the four ways in which a patient is matched, with what stands before their errors.
var steps = map[string]func(t *testing.T, x xealthClinic, message object) testkit.Response{
	"matching initial preorder request": func(t *testing.T, x xealthClinic, message object) testkit.Response {
		return x.preorder(t, with(message, "eventType", "preorder", "eventContext", "initial"))
	},
	"matching subsequent preorder request": func(t *testing.T, x xealthClinic, message object) testkit.Response {
		return x.preorder(t, with(message, "eventType", "preorder", "eventContext", "subsequent", "formData", object{"dataTrackingId": uuid.NewString()}))
	},
	"matching get programs request": func(t *testing.T, x xealthClinic, message object) testkit.Response {
		return x.send(t, http.MethodPut, "programs", message)
	},
	"matching get program url request": func(t *testing.T, x xealthClinic, message object) testkit.Response {
		return x.send(t, http.MethodPut, "program", message)
	},
	"handling new order": func(t *testing.T, x xealthClinic, message object) testkit.Response {
		id := "order-" + testkit.NewUserID()
		order := with(message, "orderInfo", object{"deployment": message["deployment"], "orderId": id})
		x.Standin.AddOrder(x.deployment, id, order)
		return x.notify(t, x.event(id, "new"))
	},
}

func with(message object, members ...any) object {
	message = maps.Clone(message)
	for i := 0; i < len(members); i += 2 {
		message[members[i].(string)] = members[i+1]
	}
	return message
}

func TestXealthCriteria(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	demographics := func(members ...any) object {
		return object{"demographicsV1": with(x.about(p)["datasets"].(object)["demographicsV1"].(object), members...)}
	}
	ids := func(list ...object) object {
		return object{"ids": list, "historicalIds": []object{{"id": "1", "type": xealthMRNType}}}
	}
	noMRN := with(x.about(p), "patientIdentity", ids())
	for step, send := range steps {
		for message, test := range map[string]object{
			": bad request: datasets is required":     with(x.about(p), "datasets", nil),
			": bad request: demographics is required": with(noMRN, "datasets", object{}),
			": bad request: mrn is missing":           with(noMRN, "datasets", demographics("birthDate", nil)),
			": bad request: date of birth is missing": with(x.about(p), "datasets", demographics("birthDate", nil, "name", nil)),
			": bad request: full name is missing":     with(x.about(p), "datasets", demographics("name", object{"given": []string{" "}, "family": []string{""}})),
		} {
			send(t, x, test).Fails(t, http.StatusBadRequest, step+message)
		}
		send(t, x, with(x.about(p), "patientIdentity", ids(object{"id": "", "type": xealthMRNType}, object{"id": "e1", "type": xealthMRNType}))).
			Fails(t, http.StatusBadRequest, step+": bad request: mrn is missing")
	}
}

func TestXealthClinicMatching(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	x := newXealthClinic(t, app, nil)
	twin := newXealthClinic(t, app, object{"sourceId": x.deployment})
	off := newXealthClinic(t, app, object{"enabled": false})
	redox := newXealthClinic(t, app, object{"provider": "redox"})
	p := newAdult()
	for step, send := range steps {
		if step == "handling new order" {
			continue
		}
		send(t, x, x.about(p)).Fails(t, http.StatusConflict, step+": duplicate: found multiple matching clinics")
		for _, other := range []xealthClinic{off, redox, {App: app, deployment: "nowhere"}, {App: app, deployment: strings.ToUpper(x.deployment)}} {
			answer := send(t, other, other.about(p))
			if step == "matching get programs request" {
				require.Equal(t, object{"present": false}, answer.OK(t, http.StatusOK).Object(t))
				continue
			}
			answer.Fails(t, http.StatusNotFound, step+": not found: couldn't find matching clinic")
		}
	}
	x.notify(t, x.event("1", "new")).Fails(t, http.StatusConflict, "matching event notification request: duplicate: found multiple matching clinics")
	twin.configure(t, nil)
	x.preorder(t, x.initial(p)).OK(t, http.StatusOK)
}

func TestXealthPatientMatching(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.NewPatient(t, x.id, "Ann Same", object{"mrn": strings.ToUpper(p.mrn), "birthDate": p.born})
	require.JSONEq(t, `{}`, string(x.preorder(t, x.initial(p)).OK(t, http.StatusOK).Body), "the case of the number does not matter")
	x.send(t, http.MethodPut, "program", x.about(p)).OK(t, http.StatusOK)
	other := p
	other.born = "1985-01-12"
	x.send(t, http.MethodPut, "program", x.about(other)).Fails(t, http.StatusNotFound, "matching get program url request: not found: couldn't find matching patient")

	x.NewPatient(t, x.id, "Ben Same", object{"mrn": p.mrn, "birthDate": p.born})
	for step, send := range steps {
		send(t, x, x.about(p)).Fails(t, http.StatusUnprocessableEntity, step+": constraint violation: multiple matching patients found")
	}
}

func TestXealthIndexes(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for collection, wanted := range map[string]map[string][]string{
		"xealth_preorder": {"dataTrackingId": {"dataTrackingId"}, "PreorderRetention": {"createdTime"}},
		"xealth_order":    {"EventsOfOrder": {"eventNotification.deployment", "eventNotification.orderId"}},
		"xealth_report_view": {
			"LastReportView":          {"userId", "deployment", "programId", "clinicId", "patientId", "createdTime"},
			"LastReportViewOfPatient": {"userId", "deployment", "programId", "clinicId", "patientUserId", "createdTime"},
		},
	} {
		cursor, err := app.Store.Collection(collection).Indexes().List(t.Context())
		require.NoError(t, err)
		var indexes []struct {
			Name   string
			Key    bson.D
			Unique bool
			Expire int `bson:"expireAfterSeconds"`
		}
		require.NoError(t, cursor.All(t.Context(), &indexes))
		found := map[string][]string{}
		for _, index := range indexes {
			for _, key := range index.Key {
				found[index.Name] = append(found[index.Name], key.Key)
			}
			require.Equal(t, index.Name == "dataTrackingId", index.Unique)
			if index.Name == "PreorderRetention" {
				require.Equal(t, 180*24*60*60, index.Expire)
			}
		}
		delete(found, "_id_")
		require.Equal(t, wanted, found)
	}
}

// requireNotLogged asserts that a secret is in no line of the log.
func requireNotLogged(t *testing.T, app *testkit.App, secret string) {
	t.Helper()
	require.NotZero(t, app.Log.Len())
	for _, entry := range app.Log.All() {
		require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), secret)
	}
}
