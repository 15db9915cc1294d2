package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// follower reads server-sent events.
type follower struct {
	*bufio.Reader
	token string
	data  []object
}

func follow(t *testing.T, app *testkit.App, header http.Header) (*follower, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, app.URL+"/v1/events", nil)
	require.NoError(t, err)
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return &follower{Reader: bufio.NewReader(answer.Body)}, answer
}

// next reads up to the end of an event, and returns an error when the answer ends.
func (f *follower) next() error {
	for {
		line, err := f.ReadString('\n')
		if err != nil || line == "\n" {
			return err
		}
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			f.token = strings.TrimSpace(id)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var event object
			if err := json.Unmarshal([]byte(data), &event); err != nil {
				return err
			}
			f.data = append(f.data, event)
		}
	}
}

func TestEventsAreToldAsTheyHappen(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	var events *feed.Service
	app := testkit.Start(t, testkit.Populate(&events))
	events.Lifetime = time.Minute
	f, answer := follow(t, app, nil)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	require.Empty(t, answer.Header.Get("Content-Encoding"))
	require.NoError(t, f.next())
	begin := f.token
	require.NotEmpty(t, begin)

	clinicID, _ := app.NewClinic(t)
	patient := app.NewPatient(t, clinicID, "Ann Unmistakable", object{"mrn": "m-unmistakable", "email": "unmistakable@example.com"})
	for len(f.data) == 0 || f.data[len(f.data)-1]["kind"] != "patient" {
		require.NoError(t, f.next())
	}
	told := f.data[len(f.data)-1]
	require.Equal(t, object{
		"kind": "patient", "operation": "insert", "id": told["id"], "clinicId": clinicID, "patientId": patient["id"],
		"time": told["time"], "token": f.token,
	}, told)
	for _, event := range f.data {
		text, err := json.Marshal(event)
		require.NoError(t, err)
		require.NotContains(t, strings.ToLower(string(text)), "unmistakable")
	}

	again, _ := follow(t, app, http.Header{"Last-Event-Id": {begin}})
	for len(again.data) < len(f.data) {
		require.NoError(t, again.next())
	}
	require.Equal(t, f.data, again.data)
	app.Call(t, testkit.Service, http.MethodGet, "/v1/events?after=x", nil).Fails(t, http.StatusBadRequest, "bad request: the token to go on after is none of this service")
	requireNotLogged(t, app, begin)
}

// TestAFollowerIsNotCutOffByTimesOfOtherRequests: those for reading a request and for writing an answer are for a part of it.
func TestAFollowerIsNotCutOffByTimesOfOtherRequests(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	var events *feed.Service
	app := testkit.Start(t, testkit.Populate(&events), testkit.Configure(func(c *config.Config) {
		c.HTTP.WriteTimeout, c.HTTP.ReadTimeout, c.HTTP.IdleTimeout = time.Second, time.Second, time.Second
	}))
	events.Lifetime, events.Heartbeat = time.Minute, 1500*time.Millisecond
	f, _ := follow(t, app, nil)
	for begin := time.Now(); time.Since(begin) < 4*time.Second; {
		require.NoError(t, f.next())
	}
	clinicID, _ := app.NewClinic(t)
	for len(f.data) == 0 || f.data[len(f.data)-1]["kind"] != "clinic" {
		require.NoError(t, f.next())
	}
	require.Equal(t, clinicID, f.data[len(f.data)-1]["clinicId"])
}

// TestAFollowerWhoDoesNotReadIsCutOff: nothing is kept for it.
func TestAFollowerWhoDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	testkit.NeedsTransactions(t)
	var events *feed.Service
	app := testkit.Start(t, testkit.Populate(&events), testkit.Configure(func(c *config.Config) { c.HTTP.WriteTimeout = time.Second }))
	events.Lifetime, events.Heartbeat = time.Minute, time.Millisecond // many small parts fill what the network holds
	connection, err := net.Dial("tcp", strings.TrimPrefix(app.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	require.NoError(t, connection.(*net.TCPConn).SetReadBuffer(1))
	_, err = fmt.Fprintf(connection, "GET /v1/events HTTP/1.1\r\nHost: x\r\nX-Tidepool-Session-Token: %s\r\n\r\n", testkit.Service)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return events.Followers() == 1 }, 10*time.Second, time.Millisecond)
	field := strings.Repeat("n", 60_000)
	for n := 0; events.Followers() == 1 && n < 400; n++ { // names of fields are told, here long ones
		_, err := app.Store.Collection("clinics").UpdateOne(t.Context(), bson.M{"_id": 1}, bson.M{"$set": bson.M{fmt.Sprint(field, n): n}}, options.UpdateOne().SetUpsert(true))
		require.NoError(t, err)
		_, err = app.Store.Collection("clinics").DeleteOne(t.Context(), bson.M{"_id": 1})
		require.NoError(t, err)
		_, err = app.Store.Collection("clinics").InsertOne(t.Context(), bson.M{"_id": 1})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return events.Followers() == 0 }, 10*time.Second, 10*time.Millisecond)
}

func TestEventsWithoutChangeStreams(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "and change streams")
	testkit.Shared(t).Call(t, testkit.Service, http.MethodGet, "/v1/events", nil).
		Fails(t, http.StatusNotImplemented, "not implemented: the database has no change streams, from which events come")
}
