package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
)

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
