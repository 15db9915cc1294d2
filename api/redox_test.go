package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// ehr is a clinic that is connected to Redox.
type ehr struct {
	*testkit.App
	clinicID string
	source   string
}

// newEHR connects a new clinic of the shared service. Extra members replace settings.
func newEHR(t *testing.T, extra map[string]any) ehr {
	t.Helper()
	e := ehr{App: testkit.Shared(t), source: "source-" + testkit.NewUserID()}
	e.clinicID = e.connect(t, extra)
	return e
}

// connect makes a clinic with settings for the source.
func (e ehr) connect(t *testing.T, extra map[string]any) string {
	t.Helper()
	id, _ := e.NewClinic(t)
	settings := map[string]any{
		"enabled": true, "provider": "redox", "sourceId": e.source, "mrnIdType": "MR",
		"procedureCodes":   map[string]any{"enableSummaryReports": "49086-2"},
		"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": true},
		"tags":             map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}
	maps.Copy(settings, extra)
	e.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+id+"/settings/ehr", settings).OK(t, http.StatusOK)
	return id
}

// timothy stores the patient that the sample order is about and returns the user id. Extra fields replace those.
func (e ehr) timothy(t *testing.T, extra bson.M) string {
	t.Helper()
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Millisecond)
	patient := bson.M{
		"clinicId": clinicID, "userId": testkit.NewUserID(), "fullName": "Timothy Bixby", "birthDate": "2008-01-06", "mrn": "0000000001",
		"createdTime": now, "updatedTime": now,
	}
	maps.Copy(patient, extra)
	_, err = e.Store.Collection(patients.CollectionName).InsertOne(t.Context(), patient)
	require.NoError(t, err)
	return patient["userId"].(string)
}

// order returns a new order for the clinic, with a log id of its own.
func (e ehr) order() map[string]any {
	return map[string]any{
		"Meta": map[string]any{
			"DataModel": "Order", "EventType": "New", "Source": map[string]any{"ID": e.source},
			"Logs": []any{map[string]any{"ID": "log-" + testkit.NewUserID(), "AttemptID": "1"}},
		},
		"Patient": map[string]any{
			"Identifiers":  []any{map[string]any{"ID": "0000000001", "IDType": "MR"}, map[string]any{"ID": "e1", "IDType": "EHRID"}},
			"Demographics": map[string]any{"FirstName": "Timothy", "LastName": "Bixby", "DOB": "2008-01-06"},
		},
		"Order": map[string]any{"ID": "157968300", "Procedure": map[string]any{"Code": "49086-2"}},
	}
}

// at returns the object at a path of a message, to be changed.
func at(object map[string]any, path ...string) map[string]any {
	for _, name := range path {
		object = object[name].(map[string]any)
	}
	return object
}

func (e ehr) post(t *testing.T, token, body string) testkit.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/v1/redox", strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("verification-token", token)
	}
	return e.Do(t, testkit.Nobody, request)
}

// send has a message stored and returns its id.
func (e ehr) send(t *testing.T, message map[string]any) string {
	t.Helper()
	logs := "log-" + testkit.NewUserID()
	at(message, "Meta")["Logs"] = []any{map[string]any{"ID": logs}}
	body, err := json.Marshal(message)
	require.NoError(t, err)
	e.post(t, testkit.RedoxToken, string(body)).OK(t, http.StatusOK)
	stored := e.messages(t, logs)
	require.Len(t, stored, 1)
	return stored[0]["_id"].(bson.ObjectID).Hex()
}

// messages returns what is stored under a log id.
func (e ehr) messages(t *testing.T, logID string) []bson.M {
	t.Helper()
	return testkit.Documents(t, e.Store, redox.MessagesCollectionName, bson.M{"meta.Logs.ID": logID})
}

// match asks for a match; without criteria, of the clinic only.
func (e ehr) match(t *testing.T, message, action string, criteria ...string) testkit.Response {
	t.Helper()
	body := map[string]any{"messageRef": map[string]any{"dataModel": "Order", "eventType": "New", "documentId": message}}
	if len(criteria) > 0 {
		options := map[string]any{"criteria": criteria}
		if action != "" {
			options["onUniqueMatch"] = action
		}
		body["patients"] = options
	}
	return e.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", body)
}

// matched returns the user ids of the patients in the answer.
func matched(t *testing.T, answer testkit.Response) []string {
	t.Helper()
	body := answer.OK(t, http.StatusOK).Object(t)
	list, ok := body["patients"].([]any)
	if !ok {
		require.NotContains(t, body, "patients", "nobody means that the member is absent")
		return nil
	}
	var ids []string
	for _, patient := range list {
		ids = append(ids, patient.(map[string]any)["id"].(string))
	}
	return ids
}

// patient returns the stored patient.
func (e ehr) patient(t *testing.T, userID string) patients.Patient {
	t.Helper()
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	var patient patients.Patient
	require.NoError(t, e.Store.Collection(patients.CollectionName).FindOne(t.Context(), bson.M{"clinicId": clinicID, "userId": userID}).Decode(&patient))
	return patient
}

func (e ehr) reports(t *testing.T, userID string) patients.EHRSubscription {
	t.Helper()
	return e.patient(t, userID).EHRSubscriptions[patients.SummaryAndReports]
}

func TestVerifyEndpointEchoesTheChallengeForTheRightToken(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	const right = `"verification-token":"` + testkit.RedoxToken + `"`
	tests := map[string]struct {
		media, body string
		status      int
		answer      string
	}{
		"right token":        {"application/json", `{` + right + `,"challenge":"a b","x":1}`, 200, "a b"},
		"without challenge":  {"application/json", `{` + right + `}`, 200, ""},
		"with charset":       {"application/json; charset=utf-8", `{` + right + `,"challenge":"c"}`, 200, "c"},
		"wrong token":        {"application/json", `{"verification-token":"redox","challenge":"c"}`, 401, "unauthorized: invalid verification token"},
		"token with a blank": {"application/json", `{"verification-token":"` + testkit.RedoxToken + ` ","challenge":"c"}`, 401, "unauthorized: invalid verification token"},
		"missing token":      {"application/json", `{"challenge":"c"}`, 401, "unauthorized: invalid verification token"},
		"no body":            {"application/json", ``, 401, "unauthorized: invalid verification token"},
		"not JSON":           {"application/json", `{"challenge":`, 400, ""},
		"numeric challenge":  {"application/json", `{` + right + `,"challenge":1}`, 400, ""},
		"array":              {"application/json", `[]`, 400, ""},
		"no content type":    {"", `{` + right + `}`, 415, "Unsupported Media Type"},
		"other content type": {"text/plain", `{` + right + `}`, 415, "Unsupported Media Type"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/redox/verify?challenge=other", strings.NewReader(test.body))
			require.NoError(t, err)
			if test.media != "" {
				request.Header.Set("Content-Type", test.media)
			}
			answer := app.Do(t, testkit.Nobody, request)
			switch {
			case test.status == 200:
				require.Equal(t, map[string]any{"challenge": test.answer}, answer.OK(t, 200).Object(t))
			case test.answer != "":
				answer.Fails(t, test.status, test.answer)
			default:
				answer.OK(t, test.status)
			}
		})
	}
	app.Call(t, testkit.Nobody, http.MethodGet, "/v1/redox/verify", nil).OK(t, http.StatusMethodNotAllowed)
}

func TestNothingOfRedoxIsAcceptedWithoutAConfiguredToken(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Redox.VerificationToken = "" }))
	e := ehr{App: app}
	app.Call(t, testkit.Nobody, http.MethodPost, "/v1/redox/verify", `{"challenge":"c"}`).
		Fails(t, http.StatusUnauthorized, "unauthorized: invalid verification token")
	e.post(t, "", `{"Meta":{"DataModel":"X","EventType":"Y"}}`).Fails(t, http.StatusUnauthorized, "unauthorized: verification token is required")
	e.post(t, "x", `{"Meta":{"DataModel":"X","EventType":"Y"}}`).Fails(t, http.StatusUnauthorized, "unauthorized: invalid verification token")
	require.Empty(t, testkit.Documents(t, app.Store, redox.MessagesCollectionName, bson.M{}))
}

func TestMessageNeedsTheTokenBeforeAnythingIsReadOfIt(t *testing.T) {
	t.Parallel()
	e := ehr{App: testkit.Shared(t)}
	logs := "log-" + testkit.NewUserID()
	for _, body := range []string{`{"Meta":{"DataModel":"X","EventType":"Y","Logs":[{"ID":"` + logs + `"}]}}`, `{`, ``} {
		e.post(t, "", body).Fails(t, http.StatusUnauthorized, "unauthorized: verification token is required")
		e.post(t, "wrong", body).Fails(t, http.StatusUnauthorized, "unauthorized: invalid verification token")
		e.post(t, testkit.RedoxToken+"x", body).Fails(t, http.StatusUnauthorized, "unauthorized: invalid verification token")
	}
	require.Empty(t, e.messages(t, logs))
}

func TestRefusedMessagesAreNotStored(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	e := ehr{App: app}
	for _, body := range []string{``, `{}`, `null`, `[]`, `{"Meta":{}}`, `{"Meta":{"DataModel":"X","EventType":"Y"},"n":1e400}`} {
		e.post(t, testkit.RedoxToken, body).OK(t, http.StatusBadRequest)
	}
	large := `{"Meta":{"DataModel":"X","EventType":"Y"},"n":"` + strings.Repeat("n", 16<<20-60_000) + `"}`
	e.post(t, testkit.RedoxToken, large+strings.Repeat(" ", 60_000)).OK(t, http.StatusRequestEntityTooLarge)
	e.post(t, testkit.RedoxToken, `{"Meta":{"DataModel":"X","EventType":"Y"},"n":"`+strings.Repeat("n", 16<<20-2000)+`"}`).
		Fails(t, http.StatusRequestEntityTooLarge, "request entity too large: the message is too large to be stored")
	require.Empty(t, testkit.Documents(t, app.Store, redox.MessagesCollectionName, bson.M{}))
	e.post(t, testkit.RedoxToken, large).OK(t, http.StatusOK)
	require.Len(t, testkit.Documents(t, app.Store, redox.MessagesCollectionName, bson.M{}), 1)
}

func TestStoredMessageIsTheOneThatWasSent(t *testing.T) {
	t.Parallel()
	e := ehr{App: testkit.Shared(t), source: "source"}
	order := e.order()
	at(order, "Meta")["Unknown"] = "left out"
	at(order, "Order")["Null"] = nil
	id := e.send(t, order)
	answer := e.post(t, testkit.RedoxToken, `{"meta":{"datamodel":"X","eventtype":"Y"}}`)
	require.Equal(t, http.StatusOK, answer.Status)
	require.Empty(t, answer.Body)
	require.Empty(t, answer.Header.Get("Content-Type"))

	documentID, err := bson.ObjectIDFromHex(id)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), documentID.Timestamp(), time.Minute, "the id tells the time of receipt")
	var stored struct {
		Meta    bson.M `bson:"meta"`
		Message struct {
			Meta  bson.M
			Order bson.M `bson:"Order"`
		} `bson:"message"`
		Derived any `bson:"derived"`
	}
	require.NoError(t, e.Store.Collection(redox.MessagesCollectionName).FindOne(t.Context(), bson.M{"_id": documentID}).Decode(&stored))
	require.NotContains(t, stored.Meta, "Unknown")
	require.Equal(t, bson.D{{Key: "ID", Value: "source"}, {Key: "Name", Value: nil}}, stored.Meta["Source"])
	require.Equal(t, "157968300", stored.Message.Order["ID"])
	require.Contains(t, stored.Message.Order, "Null")
	require.Nil(t, stored.Derived)
}

func TestRedeliveryIsStoredAndRecognised(t *testing.T) {
	t.Parallel()
	e := ehr{App: testkit.Shared(t)}
	logs := "log-" + testkit.NewUserID()
	body := `{"Meta":{"DataModel":"Order","EventType":"New","Logs":[{"ID":"` + logs + `","AttemptID":"1"}]}}`
	for range 3 {
		e.post(t, testkit.RedoxToken, body).OK(t, http.StatusOK)
	}
	e.post(t, testkit.RedoxToken, `{"Meta":{"DataModel":"Order","EventType":"New","Logs":[{"ID":"other-`+logs+`"},{"ID":"`+logs+`"}]}}`).OK(t, http.StatusOK)
	stored := e.messages(t, logs)
	require.Len(t, stored, 4)
	require.NotContains(t, stored[0], "derived")
	for _, again := range stored[1:3] {
		require.Equal(t, bson.D{{Key: "redeliveryOf", Value: stored[0]["_id"]}}, again["derived"])
	}
	require.NotContains(t, stored[3], "derived", "only the first log counts")
}

func TestMessageIsStoredThoughEarlierDeliveriesCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	e := ehr{App: app, source: "source"}
	require.NoError(t, app.Store.Collection(redox.MessagesCollectionName).Indexes().DropOne(t.Context(), "MessagesByLogID"))
	e.send(t, e.order())
}

func TestNothingOfAMessageReachesTheLogButItsMetadata(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	e := ehr{App: app, source: "source-of-the-log"}
	e.send(t, e.order())
	e.post(t, testkit.RedoxToken, `{"Meta":{},"Patient":{"Demographics":{"FirstName":"Timothy"}}}`).OK(t, http.StatusBadRequest)
	require.Len(t, app.Log.FilterMessage("a message of Redox was stored").All(), 1)
	require.Len(t, app.Log.FilterMessage("a message of Redox was refused").All(), 1)
	var logged strings.Builder
	for _, entry := range app.Log.All() {
		line, err := json.Marshal(entry.ContextMap())
		require.NoError(t, err)
		logged.Write(line)
	}
	require.Contains(t, logged.String(), "source-of-the-log")
	for _, secret := range []string{"Timothy", "Bixby", "2008-01-06", "0000000001", testkit.RedoxToken} {
		require.NotContains(t, logged.String(), secret)
	}
}

func TestRedoxIndexesExistAfterStart(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	type index struct {
		Name   string `bson:"name"`
		Key    bson.D `bson:"key"`
		Expire *int32 `bson:"expireAfterSeconds"`
	}
	lifetime := int32(7776000)
	want := map[string][]index{
		redox.MessagesCollectionName: {
			{Name: "MetadataLogsId", Key: bson.D{{Key: "meta.Logs.Id", Value: int32(1)}}},
			{Name: "MetadataSource", Key: bson.D{{Key: "meta.Source.Id", Value: int32(1)}, {Key: "meta.FacilityCode", Value: int32(1)}}},
			{Name: "MessagesByLogID", Key: bson.D{{Key: "meta.Logs.ID", Value: int32(1)}}},
			{Name: "ReplaysByMessage", Key: bson.D{{Key: "derived.replayOf", Value: int32(1)}}},
			{Name: "MessagesBySource", Key: bson.D{{Key: "meta.Source.ID", Value: int32(1)}, {Key: "meta.FacilityCode", Value: int32(1)}}},
		},
		redox.ScheduledCollectionName: {
			{Name: "LastMatchedOrderByID", Key: bson.D{{Key: "lastMatchedOrder._id", Value: int32(1)}, {Key: "createdTime", Value: int32(-1)}}},
			{Name: "CleanupExpiredRescheduledOrdersAfter90d", Key: bson.D{{Key: "createdTime", Value: int32(1)}}, Expire: &lifetime},
		},
	}
	for collection, wanted := range want {
		cursor, err := app.Store.Collection(collection).Indexes().List(t.Context())
		require.NoError(t, err)
		var found []index
		require.NoError(t, cursor.All(t.Context(), &found))
		for _, one := range wanted {
			require.Contains(t, found, one)
		}
	}
}
