package events_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

type object = map[string]any

const demo = "de00000001"

// stage is what an operation finds. It has users and clinics of its own.
type stage struct {
	testing.TB
	app *testkit.App
	ids map[string]string // what braces in a path stand for
}

func newStage(t *testing.T, app *testkit.App) *stage {
	t.Helper()
	s := &stage{TB: t, app: app, ids: map[string]string{"source": "source-" + testkit.NewUserID()}}
	for _, name := range []string{"admin", "other", "member", "guest"} {
		s.ids[name] = app.NewUser(t, "Name "+name)
		app.Standin.AddProfile(s.ids[name], object{"fullName": "Name " + name, "patient": object{"birthday": "1990-05-06"}})
	}
	return s
}

// clear removes what the row left: the engine gets slow as the collections grow.
func (s *stage) clear() {
	collections, err := s.app.Store.ListCollectionNames(s.Context(), bson.D{})
	require.NoError(s, err)
	for _, collection := range collections {
		_, err := s.app.Store.Collection(collection).DeleteMany(s.Context(), bson.D{})
		require.NoError(s, err)
	}
}

// send makes a call.
func (s *stage) send(caller testkit.Caller, line string, body any) testkit.Response {
	s.Helper()
	method, path, _ := strings.Cut(s.fill(line), " ")
	return s.app.Call(s, caller, method, path, body)
}

// fill puts ids in the place of their names in braces.
func (s *stage) fill(text string) string {
	return os.Expand(strings.NewReplacer("{", "${").Replace(text), func(name string) string {
		id, ok := s.ids[name]
		require.True(s, ok, "nothing is called %q", name)
		return id
	})
}

// as returns a caller.
func (s *stage) as(name string) testkit.Caller { return testkit.User(s.ids[name]) }

// clinic makes a clinic with one admin.
func (s *stage) clinic(name, admin string) {
	s.Helper()
	made := s.send(s.as(admin), "POST /v1/clinics", object{"name": "Clinic " + name, "preferredBgUnits": "mg/dL"}).OK(s, http.StatusOK)
	s.ids[name] = made.Object(s)["id"].(string)
}

func (s *stage) join(clinic, user string, roles ...string) {
	s.Helper()
	s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/clinicians", object{
		"id": s.ids[user], "email": s.ids[user] + "@example.com", "roles": roles, "name": "Name " + user,
	}).OK(s, http.StatusOK)
}

// patient makes a custodial patient.
func (s *stage) patient(name, clinic string, extra object) {
	s.Helper()
	s.ids[name] = s.app.NewPatient(s, s.ids[clinic], "Patient "+name, extra)["id"].(string)
}

// claimed adds a patient who has an account and shares its data with the clinic.
func (s *stage) claimed(user, clinic string) {
	s.Helper()
	s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/patients/{"+user+"}", object{
		"permissions": object{"view": object{}, "note": object{}},
	}).OK(s, http.StatusOK)
}

// tag and site add one to a clinic.
func (s *stage) tag(name, clinic string)  { s.Helper(); s.group(name, clinic, "patient_tags") }
func (s *stage) site(name, clinic string) { s.Helper(); s.group(name, clinic, "sites") }

func (s *stage) group(name, clinic, kind string) {
	s.Helper()
	made := s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/"+kind, object{"name": name})
	require.Less(s, made.Status, http.StatusMultipleChoices, string(made.Body))
	list := map[string]string{"patient_tags": "patientTags", "sites": "sites"}[kind]
	for _, found := range s.send(testkit.Service, "GET /v1/clinics/{"+clinic+"}", nil).Object(s)[list].([]any) {
		if found := found.(object); found["name"] == name {
			s.ids[name] = found["id"].(string)
		}
	}
}

// legacy makes an account that stands for a clinic, and the clinic that takes its place.
func (s *stage) legacy() {
	s.Helper()
	s.account()
	s.ids["moving"] = s.send(testkit.Service, "POST /v1/clinicians/{legacy}/migrate", nil).OK(s, http.StatusOK).Object(s)["id"].(string)
	s.send(s.as("legacy"), "PUT /v1/clinics/{moving}", profile).OK(s, http.StatusOK)
}

func (s *stage) account() {
	id := testkit.NewUserID()
	s.ids["legacy"] = id
	s.app.Standin.AddUser(standin.User{UserID: id, Username: id + "@example.com", Emails: []string{id + "@example.com"}, PasswordExists: true, Roles: []string{"clinic"}})
	s.app.Standin.AddProfile(id, object{"fullName": "Lee Legacy"})
}

var profile = object{
	"name": "Clinic moving", "address": "1 Main Street", "city": "Town", "postalCode": "12345", "state": "CA",
	"country": "US", "clinicType": "provider_practice", "website": "https://example.com", "preferredBgUnits": "mg/dL",
	"phoneNumbers": []any{object{"type": "Office", "number": "555-0100"}},
}

// partner makes a call of Redox or Xealth, who prove themselves with a header.
func (s *stage) partner(header http.Header, line string, body any) testkit.Response {
	s.Helper()
	method, path, _ := strings.Cut(s.fill(line), " ")
	content, err := json.Marshal(body)
	require.NoError(s, err)
	request, err := http.NewRequestWithContext(s.Context(), method, s.app.URL+path, strings.NewReader(string(content)))
	require.NoError(s, err)
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	return s.app.Do(s, testkit.Nobody, request)
}

// empty is a stage without a clinic.
func empty(*stage) {}

// team is a clinic with two admins, a member and an invite.
func team(s *stage) {
	s.clinic("north", "admin")
	s.join("north", "other", "CLINIC_ADMIN")
	s.join("north", "member", "CLINIC_MEMBER")
	s.ids["invite"] = testkit.NewUserID()
	s.send(testkit.Service, "POST /v1/clinics/{north}/clinicians", object{
		"inviteId": s.ids["invite"], "email": s.ids["invite"] + "@example.com", "roles": []string{"CLINIC_ADMIN"},
	}).OK(s, http.StatusOK)
}

// full is a clinic with tags, sites, and patients in several combinations of them, beside another clinic.
func full(s *stage) {
	s.clinic("north", "admin")
	s.clinic("south", "other")
	s.tag("red", "north")
	s.tag("blue", "north")
	s.site("harbour", "north")
	s.site("hill", "north")
	harbour, hill := object{"id": s.ids["harbour"], "name": "harbour"}, object{"id": s.ids["hill"], "name": "hill"}
	s.patient("anna", "north", object{
		"tags": []string{s.ids["red"]}, "sites": []any{harbour}, "mrn": "0001", "email": s.ids["guest"] + "-anna@example.com",
		"dataSources": []any{object{"providerName": "dexcom", "state": "pending"}, object{"providerName": "twiist", "state": "pending"}},
	})
	s.patient("bert", "north", object{"tags": []string{s.ids["red"], s.ids["blue"]}, "sites": []any{harbour, hill}})
	s.patient("carl", "north", object{"tags": []string{}, "sites": []any{hill}})
	s.patient("dora", "north", nil)
	s.claimed("guest", "north")
	s.claimed("guest", "south")
	s.claimed("member", "north")
}

// stored returns the id of the only document of a collection with this value.
func (s *stage) stored(collection, field string, value any) string {
	s.Helper()
	documents := testkit.Documents(s, s.app.Store, collection, bson.D{{Key: field, Value: value}})
	require.Len(s, documents, 1)
	return documents[0]["_id"].(bson.ObjectID).Hex()
}

// caller returns a user by name, or a backend service.
func (s *stage) caller(name string) testkit.Caller {
	if name == "service" {
		return testkit.Service
	}
	return s.as(name)
}

var namedID = regexp.MustCompile(`\{(\w+)\}`)

// fillBody puts ids in the place of their names in a body of JSON.
func (s *stage) fillBody(text string) string {
	return namedID.ReplaceAllStringFunc(text, s.fill)
}

// miscount makes the stored number of patients of a clinic wrong.
func (s *stage) miscount(clinic string) {
	s.Helper()
	id, err := bson.ObjectIDFromHex(s.ids[clinic])
	require.NoError(s, err)
	_, err = s.app.Store.Collection("clinics").UpdateByID(s.Context(), id, bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount.total", Value: 77}}}})
	require.NoError(s, err)
}
