package events_test

import (
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
			require.Equal(t, promised[r.situation], described(found))
			requireDocuments(t, found)
			s.clear()
		})
	}
}

// TestReadingMakesNoEvents calls every operation that reads.
func TestReadingMakesNoEvents(t *testing.T) {
	t.Parallel()
	app, events := start(t)
	s := newStage(t, app)
	readable(s)
	for _, o := range operations(t) {
		if o.method != http.MethodGet || o.id == "ViewPDFReport" { // which has a row
			continue
		}
		t.Run(o.id, func(t *testing.T) {
			s.TB = t
			events.since(t)
			caller := testkit.Service
			if o.id == "FindPatients" {
				caller = s.as("admin") // it is not for services
			}
			answer := s.send(caller, "GET "+o.path+queries[o.id], nil)
			require.Equal(t, http.StatusOK, answer.Status, string(answer.Body))
			require.Empty(t, described(events.since(t)))
		})
	}
}
