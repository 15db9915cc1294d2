package api_test

import (
	"encoding/csv"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// TestAccessOfEveryOperation sends each row of the table as each kind of caller through the real router. Bodies are
// malformed and ids unknown, so that nothing happens: who may not call gets 403, who may gets anything else.
func TestAccessOfEveryOperation(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, row := range accessTable(t) {
		for _, column := range []string{"backend_service", "clinic_admin", "clinic_member", "other_clinic_member", "self", "any_user", "webhook"} {
			decision := decide(row, column)
			if decision == "n-a" {
				continue
			}
			t.Run(row["method"]+" "+row["path"]+" as "+column, func(t *testing.T) {
				t.Parallel()
				scene := newScene(t, app.Store, row["path"])
				body := "[1"
				if isOpenRow(row) {
					body = "{}" // one credential stands in the body, which must be readable to be missed
				}
				response := app.Call(t, scene.caller(column), row["method"], scene.path, body)
				want := expectation{open: isOpenRow(row), column: column, viewer: strings.Contains(row["path"], "viewer.html"), allowed: decision == "allow"}
				want.check(t, response)
			})
		}
	}
}

// decide returns the decision of the table, but for the one operation that is opened on purpose.
func decide(row map[string]string, column string) string {
	if row["operationId"] == "ListAllClinicians" && column == "backend_service" {
		return "allow" // the reference service denies everybody by accident; see docs/divergences.md
	}
	return row[column]
}

func isOpenRow(row map[string]string) bool { return row["webhook"] == "allow" }

type expectation struct {
	open, viewer, allowed bool
	column                string
}

func (e expectation) check(t *testing.T, response testkit.Response) {
	t.Helper()
	switch {
	case e.open && e.viewer: // a session token is not looked at; the credential is a query parameter
		require.Equal(t, http.StatusBadRequest, response.Status)
	case e.open:
		require.Equal(t, http.StatusUnauthorized, response.Status, string(response.Body))
	case e.column == "webhook": // no session token
		require.Equal(t, http.StatusBadRequest, response.Status)
		require.Equal(t, "session token is missing", response.Object(t)["message"])
	case e.allowed && response.Status == http.StatusNotImplemented: // of this engine, not of this service
		require.Equal(t, "events_unsupported", response.Object(t)["reason"])
	case e.allowed:
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, response.Status, string(response.Body))
	default:
		require.Equal(t, http.StatusForbidden, response.Status, string(response.Body))
	}
}

// TestOpenRoutesAcceptTheirCredential is the other half of the webhook column.
func TestOpenRoutesAcceptTheirCredential(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for _, row := range accessTable(t) {
		if !isOpenRow(row) || strings.Contains(row["path"], "viewer.html") {
			continue
		}
		t.Run(row["operationId"], func(t *testing.T) {
			t.Parallel()
			body := strings.NewReader(`{"verification-token":"` + testkit.RedoxToken + `","challenge":"c"}`)
			request, err := http.NewRequestWithContext(t.Context(), row["method"], app.URL+row["path"], body)
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("verification-token", testkit.RedoxToken)
			request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
			response := app.Do(t, testkit.Nobody, request)
			require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, response.Status, string(response.Body))
		})
	}
}

// TestEveryOperationStandsInTheAccessTable holds the interface document against the table in both directions.
func TestEveryOperationStandsInTheAccessTable(t *testing.T) {
	t.Parallel()
	document, err := api.LoadDocument()
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, row := range accessTable(t) {
		listed[row["operationId"]] = true
	}
	require.ElementsMatch(t, document.OperationIDs(), slices.Collect(maps.Keys(listed)))
	require.Greater(t, len(listed), 75)
}

// accessTable returns the rows of the operations that this service has.
func accessTable(t *testing.T) []map[string]string {
	t.Helper()
	file, err := os.Open("testdata/access.csv")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	records, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		if row["backend_service"] != "n-a" || row["webhook"] != "n-a" {
			rows = append(rows, row)
		}
	}
	return rows
}

// scene is a clinic with members but without a clinic document, so that no operation finds anything to change.
type scene struct {
	path          string
	admin, member string
	outsider      string // admin of another clinic
	self          string // whom the path names
}

func newScene(t *testing.T, d *store.Database, template string) scene {
	t.Helper()
	clinicID := bson.NewObjectID()
	s := scene{admin: testkit.NewUserID(), member: testkit.NewUserID(), outsider: testkit.NewUserID(), self: testkit.NewUserID()}
	insertMember(t, d, clinicID, s.admin, clinicians.RoleAdmin)
	insertMember(t, d, clinicID, s.member, clinicians.RoleMember)
	insertMember(t, d, bson.NewObjectID(), s.outsider, clinicians.RoleAdmin)
	if strings.Contains(template, "{clinicianId}") {
		insertMember(t, d, clinicID, s.self, clinicians.RoleMember)
	}
	replacements := []string{
		"{clinicId}", clinicID.Hex(), "{patientId}", s.self, "{userId}", s.self, "{clinicianId}", s.self,
		"{patientTagId}", bson.NewObjectID().Hex(), "{siteId}", bson.NewObjectID().Hex(), "{summaryId}", bson.NewObjectID().Hex(),
		"{inviteId}", "invite", "{shareCode}", "AAAA-BBBB-CCCC", "{providerId}", "dexcom", "{permission}", "view",
	}
	s.path = strings.NewReplacer(replacements...).Replace(template)
	return s
}

func (s scene) caller(column string) testkit.Caller {
	switch column {
	case "backend_service":
		return testkit.Service
	case "clinic_admin":
		return testkit.User(s.admin)
	case "clinic_member":
		return testkit.User(s.member)
	case "other_clinic_member":
		return testkit.User(s.outsider)
	case "self":
		return testkit.User(s.self)
	case "any_user":
		return testkit.User(testkit.NewUserID())
	default:
		return testkit.Nobody
	}
}

func insertMember(t *testing.T, d *store.Database, clinicID bson.ObjectID, userID string, roles ...string) {
	t.Helper()
	_, err := d.Collection(clinicians.CollectionName).InsertOne(t.Context(), clinicians.Clinician{ClinicID: clinicID, UserID: &userID, Roles: roles})
	require.NoError(t, err)
}

// TestInvitationsAreServedElsewhere: the gateway sends these operations to another service.
func TestInvitationsAreServedElsewhere(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinic := "/v1/clinics/" + bson.NewObjectID().Hex()
	for _, call := range [][2]string{
		{http.MethodPost, clinic + "/invites/clinicians"}, {http.MethodGet, clinic + "/invites/clinicians/i"},
		{http.MethodPatch, clinic + "/invites/clinicians/i"}, {http.MethodDelete, clinic + "/invites/clinicians/i"},
		{http.MethodGet, clinic + "/invites/patients"}, {http.MethodPut, clinic + "/invites/patients/i"},
		{http.MethodGet, "/v1/clinicians/1234567890/invites"}, {http.MethodPut, "/v1/clinicians/1234567890/invites/i"},
		{http.MethodDelete, "/v1/clinicians/1234567890/invites/i"},
	} {
		app.Call(t, testkit.Service, call[0], call[1], nil).Fails(t, http.StatusNotFound, "method not allowed")
	}
}
