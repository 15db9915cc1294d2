package events_test

import (
"fmt"
"strings"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// row is an operation in a situation.
type row struct {
	situation
	stage func(s *stage)
	call  func(s *stage) testkit.Response
}

func start(t *testing.T) (*testkit.App, *stream) {
	t.Helper()
	testkit.NeedsTransactions(t) // who has these has change streams as well
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Demo.PatientUserID = demo }))
	app.Standin.AddUser(standin.User{UserID: demo, Username: "demo@example.com", Emails: []string{"demo@example.com"}, PasswordExists: true})
	app.Standin.AddProfile(demo, object{"fullName": "Demi Demo", "patient": object{"birthday": "1990-05-06"}})
	return app, watch(t, app.Store)
}

// TestEventsOfOperations holds for every operation that writes exactly the events that docs/events.md shows.
func TestEventsOfOperations(t *testing.T) {
	t.Parallel()
	app, events := start(t)
	promised := documented(t)
	for _, r := range rows() {
		t.Run(r.operation+", "+r.when, func(t *testing.T) {
			s := newStage(t, app)
			r.stage(s)
			events.since(t)
			answer := r.call(s)
			require.Less(t, answer.Status, http.StatusMultipleChoices, string(answer.Body))
			found := events.since(t)
			fmt.Println("ROW| "+r.operation+" | "+r.when+" | "+strings.Join(described(found), "<br>")+" |")
			require.Equal(t, promised[r.situation], described(found))
			requireDocuments(t, found)
		})
	}
}

// TestReadingMakesNoEvents calls every operation that reads, and looks a second time at what was never counted.
func TestReadingMakesNoEvents(t *testing.T) {
	t.Parallel()
	app, events := start(t)
	s := newStage(t, app)
	readable(s)
	read := 0
	for _, o := range operations(t) {
		if o.method != http.MethodGet || o.id == "ViewPDFReport" { // which has rows of its own
			continue
		}
		t.Run(o.id, func(t *testing.T) {
			s.TB = t
			events.since(t)
			answer := s.send(testkit.Service, "GET "+o.path+queries[o.id], nil)
			require.Equal(t, http.StatusOK, answer.Status, string(answer.Body))
			require.Empty(t, described(events.since(t)))
		})
		read++
	}
	require.Greater(t, read, 20)
}
