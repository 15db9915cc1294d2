package faults_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// patience is how long the services of these tests wait for a neighbour.
const patience = 700 * time.Millisecond

// failures are the ways in which a neighbour fails. The last cuts the connection in the middle of an answer.
var failures = map[string]standin.Fault{
	"is broken":         {Status: http.StatusInternalServerError, Body: `{"code":500}`},
	"is overloaded":     {Status: http.StatusServiceUnavailable, Body: "please come back", ContentType: "text/plain"},
	"hangs":             {Hang: true},
	"answers garbage":   {Body: "<html>welcome</html>", ContentType: "text/html"},
	"answers a list":    {Body: "[1, 2]"},
	"hangs up":          {Cut: true},
	"hangs up too soon": {Body: `{"userid":"0123456789","username":"somebody@example.com"}`, Cut: true},
}

// neighbourCalls are the calls that the operations make, by the beginning of the request line.
var neighbourCalls = map[string][]string{
	"CreateClinic":                                      {"GET /user/" + admin, "GET /" + admin + "/profile", "GET /user/" + demo, "GET /" + demo + "/profile"},
	"EnableNewClinicExperience":                         {"GET /user/" + legacy, "GET /" + legacy + "/profile"},
	"TriggerInitialMigration":                           {"GET /user/" + legacy},
	"AddServiceAccount":                                 {"POST /oidc/token"},
	"AssociateClinicianToUser":                          {"GET /" + guest + "/profile"},
	"CreatePatientAccount":                              {"POST /v1/clinics/"},
	"CreatePatientAccount (with an address)":            {"POST /v1/clinics/"},
	"CreatePatientFromUser":                             {"GET /user/" + other, "GET /" + other + "/profile"},
	"CreatePatientFromUser (known, of a legacy clinic)": {"GET /user/" + guest, "GET /" + guest + "/profile"},
	"XealthNotification (new patient)":                  {"POST /oauth2/token", "GET /partner/read/order/", "POST /v1/clinics/"},
	"XealthNotification (canceled)":                     {"GET /partner/read/order/"},
	"ReplayXealthOrder":                                 {"GET /partner/read/order/", "POST /v1/clinics/"},
	"XealthPreorder (form sent in)":                     {"GET /user/xena"},
	"UpdatePatient":                                     {"PUT /user/"},
}

// harmless are failures that are none for a call: only the status counts there.
var harmless = map[string][]string{
	"PUT /user/": {"answers garbage", "answers a list"},
}

func newImpatientScene(t testing.TB) *scene {
	t.Helper()
	proxy, err := wire.Start(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return startScene(t, proxy, func(c *config.Config) { c.Platform.CallTimeout = patience })
}

// TestEveryNeighbourMayFail lets each call of each operation fail in all ways. The call is answered in time, with the
// documented status, and nothing is written.
func TestEveryNeighbourMayFail(t *testing.T) {
	t.Parallel()
	calling := slices.DeleteFunc(operations(), func(o operation) bool { return len(neighbourCalls[o.name]) == 0 })
	side(t.Context(), t, 6, newImpatientScene, calling, func(t *testing.T, s *scene, o operation) {
		normal := s.undisturbed(t, o)
		for _, call := range neighbourCalls[o.name] {
			for name, failure := range failures {
				t.Run(call+" "+name, func(t *testing.T) {
					s.play(t, func() { s.disappoint(o, normal, call, failure, slices.Contains(harmless[call], name)) })
				})
			}
		}
	})
}

// requireKnownCalls asserts that the calls of an operation are in the table.
func requireKnownCalls(t *testing.T, o operation, calls []standin.Call) {
	t.Helper()
	for _, call := range calls {
		require.True(t, isAuthentication(call) || slices.ContainsFunc(neighbourCalls[o.name], func(known string) bool {
			return strings.HasPrefix(call.String(), known)
		}), "%s is not in the table", call)
	}
}

// isAuthentication reports whether a call has to do with who is calling. It is made whatever the operation.
func isAuthentication(call standin.Call) bool {
	return strings.HasPrefix(call.String(), "GET /token/") || strings.HasSuffix(call.Path, "/serverlogin")
}

func (s *scene) disappoint(o operation, normal course, call string, failure standin.Fault, harmless bool) {
	s.Helper()
	s.set(o)
	s.app.Standin.ForgetCalls()
	s.app.Standin.Fail(call, failure)
	start := time.Now()
	first := o.call(s)
	require.Less(s, time.Since(start), patience+5*time.Second)
	require.NotZero(s, s.app.Standin.Count(call), "the call did not come")
	s.app.Standin.Heal()
	if harmless {
		require.Equal(s, normal.status, first.Status, string(first.Body))
		return
	}
	first.Fails(s, http.StatusInternalServerError, "Internal Server Error")
	s.sweep()
	before, after := normal.before, s.state()
	if o.undone != nil {
		before, after = before.without(o.undone.collections...), after.without(o.undone.collections...)
	}
	requireState(s, before, after, "nothing is half-written")
	s.repeatIsRight(o, normal)
	s.endIsRight(o, normal, wire.Lost)
}

// TestUserServiceMayFail: without the user service nobody knows who is calling, and nobody is let in.
func TestUserServiceMayFail(t *testing.T) {
	t.Parallel()
	s := newImpatientScene(t)
	s.play(t, func() { s.clinic("north", admin) })
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			s.play(t, func() {
				s.app.Standin.Fail("GET /token/", failure)
				defer s.app.Standin.Heal()
				start := time.Now()
				s.send(testkit.User(admin), "GET /v1/clinics/{north}", nil).Fails(s, http.StatusUnauthorized, "session token is invalid")
				require.Less(s, time.Since(start), patience+5*time.Second)
			})
		})
	}
	s.play(t, func() { s.send(testkit.User(admin), "GET /v1/clinics/{north}", nil).OK(s, http.StatusOK) })
}
