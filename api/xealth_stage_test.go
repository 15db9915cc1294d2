package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

type object = map[string]any

// xealthClinic is a clinic that orders through Xealth, and Xealth itself.
type xealthClinic struct {
	*testkit.App
	id, admin, deployment string
}

const (
	xealthProgram = "100"
	xealthMRNType = "enterprise"
)

// newXealthClinic makes a clinic with a deployment of its own. Extra members replace those of the settings.
func newXealthClinic(t *testing.T, app *testkit.App, extra object) xealthClinic {
	t.Helper()
	admin := app.NewUser(t, "Ada Admin")
	clinic := app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics", object{
		"name": "Test Clinic", "preferredBgUnits": "mg/dL", "timezone": "US/Pacific",
	}).OK(t, http.StatusOK).Object(t)
	x := xealthClinic{App: app, id: clinic["id"].(string), admin: admin, deployment: "deployment-" + testkit.NewUserID()}
	x.configure(t, extra)
	return x
}

func (x xealthClinic) configure(t *testing.T, extra object) {
	t.Helper()
	settings := object{
		"enabled": true, "provider": "xealth", "sourceId": x.deployment, "mrnIdType": xealthMRNType,
		"procedureCodes":   object{"createAccountAndEnableReports": xealthProgram},
		"scheduledReports": object{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": object{}, "flowsheets": object{"icode": false},
	}
	maps.Copy(settings, extra)
	x.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+x.id+"/settings/ehr", settings).OK(t, http.StatusOK)
}

// send sends a message as Xealth does.
func (x xealthClinic) send(t *testing.T, method, path string, body any) testkit.Response {
	t.Helper()
	content, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, x.URL+"/v1/xealth/"+path, bytes.NewReader(content))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
	return x.Do(t, testkit.Nobody, request)
}

func (x xealthClinic) preorder(t *testing.T, body object) testkit.Response {
	t.Helper()
	return x.send(t, http.MethodPost, "preorder", body)
}

func (x xealthClinic) notify(t *testing.T, event object) testkit.Response {
	t.Helper()
	return x.send(t, http.MethodPost, "notification", event)
}

// person is a patient as a health record knows them.
type person struct {
	mrn, born     string
	given, family []string
	email         string
}

func newAdult() person {
	return person{
		mrn: "e" + testkit.NewUserID(), born: "1985-01-11",
		given: []string{"FirstName", "First"}, family: []string{"LastName", "Last"},
	}
}

func newChild() person {
	p := newAdult()
	p.born, p.given = "2090-01-01", []string{"Bo"}
	return p
}

func (x xealthClinic) about(p person, extra ...object) object {
	demographics := object{"name": object{"given": p.given, "family": p.family}, "birthDate": p.born}
	if p.email != "" {
		demographics["telecom"] = []object{{"system": "phone", "value": "+1555"}, {"system": "email", "value": p.email}}
	}
	message := object{
		"deployment": x.deployment, "programId": xealthProgram,
		"patientIdentity": object{"ids": []object{{"id": p.mrn, "type": xealthMRNType}, {"id": "10052608740", "type": "mrn"}}},
		"datasets":        object{"demographicsV1": demographics},
	}
	for _, members := range extra {
		maps.Copy(message, members)
	}
	return message
}

func (x xealthClinic) initial(p person, extra ...object) object {
	return x.about(p, append([]object{{"eventType": "preorder", "eventContext": "initial"}}, extra...)...)
}

func (x xealthClinic) subsequent(p person, trackingID string, input any, extra ...object) object {
	step := object{
		"eventType": "preorder", "eventContext": "subsequent",
		"formData": object{"dataTrackingId": trackingID, "userInput": input},
	}
	return x.about(p, append([]object{step}, extra...)...)
}

func (x xealthClinic) by(ehrUser string, p person) object {
	message := x.about(p)
	message["datasets"].(object)["ehrUserV1"] = object{"userId": ehrUser, "systemLogin": "login-" + ehrUser}
	return message
}

// order makes Xealth know an order, and returns its id.
func (x xealthClinic) order(p person, trackingID string, extra ...object) string {
	id := "order-" + testkit.NewUserID()
	order := x.about(p, object{"orderInfo": object{
		"deployment": x.deployment, "orderId": id, "partnerId": "tidepool", "programId": xealthProgram,
		"orderCreationDateTime": "2021-01-14T00:20:00Z", "orderUpdateDateTime": "2021-01-14T00:23:30.250Z",
	}})
	if trackingID != "" {
		order["preorder"] = object{"dataTrackingId": trackingID}
	}
	for _, members := range extra {
		maps.Copy(order, members)
	}
	x.Standin.AddOrder(x.deployment, id, order)
	return id
}

func (x xealthClinic) event(orderID, context string, extra ...object) object {
	event := object{
		"eventId": uuid.NewString(), "eventTimeStamp": "2021-01-14T00:23:47.580Z", "eventType": "order", "eventContext": context,
		"orderId": orderID, "deployment": x.deployment, "partnerId": "tidepool", "programId": xealthProgram,
		"patientIdentity": object{"ids": []object{{"id": "10052608740", "type": "mrn", "origin": "epic"}}, "historicalIds": []object{}},
	}
	for _, members := range extra {
		maps.Copy(event, members)
	}
	return event
}

// enroll takes a patient through the whole flow, and returns the user id.
func (x xealthClinic) enroll(t *testing.T, p person, input object) string {
	t.Helper()
	trackingID := uuid.NewString()
	require.JSONEq(t, `{}`, string(x.preorder(t, x.subsequent(p, trackingID, input)).OK(t, http.StatusOK).Body))
	x.notify(t, x.event(x.order(p, trackingID), "new")).OK(t, http.StatusOK)
	return x.stored(t, p)["userId"].(string)
}

// stored returns the document of a patient.
func (x xealthClinic) stored(t *testing.T, p person) bson.M {
	t.Helper()
	documents := testkit.Documents(t, x.Store, "patients", bson.M{"mrn": p.mrn})
	require.Len(t, documents, 1)
	return documents[0]
}

func (x xealthClinic) storedOrders(t *testing.T) []bson.M {
	t.Helper()
	return testkit.Documents(t, x.Store, "xealth_order", bson.M{"eventNotification.deployment": x.deployment})
}

func (x xealthClinic) subscription(t *testing.T, p person) bson.M {
	t.Helper()
	subscriptions, _ := x.stored(t, p)["ehrSubscriptions"].(bson.D)
	for _, subscription := range subscriptions {
		if subscription.Key == "xealthReports" {
			content, err := bson.Marshal(subscription.Value)
			require.NoError(t, err)
			var members bson.M
			require.NoError(t, bson.Unmarshal(content, &members))
			return members
		}
	}
	return nil
}

func (x xealthClinic) programs(t *testing.T, message object) object {
	t.Helper()
	return x.send(t, http.MethodPut, "programs", message).OK(t, http.StatusOK).Object(t)
}

// program returns the only program of an answer.
func program(t *testing.T, answer object) object {
	t.Helper()
	require.Equal(t, true, answer["present"])
	require.Len(t, answer["programs"], 1)
	return answer["programs"].([]any)[0].(object)
}

// reportPage returns the address of the report page on the service under test, which is not where the public thinks it is.
func (x xealthClinic) reportPage(t *testing.T, message object) *url.URL {
	t.Helper()
	answer := x.send(t, http.MethodPut, "program", message).OK(t, http.StatusOK).Object(t)
	address, err := url.Parse(answer["url"].(string))
	require.NoError(t, err)
	return address
}

func (x xealthClinic) open(t *testing.T, address *url.URL) testkit.Response {
	t.Helper()
	return x.Call(t, testkit.Nobody, http.MethodGet, address.RequestURI(), nil)
}

// paragraphs returns the texts of an error form.
func paragraphs(t *testing.T, form object) []string {
	t.Helper()
	require.Equal(t, true, form["notOrderable"])
	info := form["preorderFormInfo"].(object)
	require.Equal(t, "error_form", info["formId"])
	properties := info["formSchema"].(object)["properties"].(object)
	var texts []string
	for _, key := range info["uiSchema"].(object)["ui:order"].([]any) {
		texts = append(texts, properties[key.(string)].(object)["description"].(string))
	}
	return texts
}
