package testkit

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// NewUserID returns a user id that no other test uses.
func NewUserID() string {
	id := make([]byte, 5)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// NewUser makes a user known to the neighbours, with an address and a full name, and returns the id.
func (a *App) NewUser(t testing.TB, fullName string) string {
	t.Helper()
	id := NewUserID()
	a.Standin.AddUser(standin.User{UserID: id, Username: id + "@example.com", Emails: []string{id + "@example.com"}, PasswordExists: true})
	a.Standin.AddProfile(id, map[string]any{"fullName": fullName})
	return id
}

// NewClinic makes a clinic and returns its id and the user id of its admin.
func (a *App) NewClinic(t testing.TB) (clinicID, adminID string) {
	t.Helper()
	adminID = a.NewUser(t, "Ada Admin")
	clinic := a.Call(t, User(adminID), http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Test Clinic", "preferredBgUnits": "mg/dL",
	}).OK(t, http.StatusOK).Object(t)
	return clinic["id"].(string), adminID
}

// NewMember adds a member to a clinic and returns the user id.
func (a *App) NewMember(t testing.TB, clinicID string, roles ...string) string {
	t.Helper()
	id := NewUserID()
	a.Call(t, Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
		"id": id, "email": id + "@example.com", "roles": roles, "name": "Max Member",
	}).OK(t, http.StatusOK)
	return id
}

// NewPatient adds a custodial patient to a clinic and returns the patient as the service shows it. Extra members replace or
// add to the body.
func (a *App) NewPatient(t testing.TB, clinicID, fullName string, extra map[string]any) map[string]any {
	t.Helper()
	body := map[string]any{"fullName": fullName, "birthDate": "1990-05-06"}
	for name, value := range extra {
		body[name] = value
	}
	return a.Call(t, Service, http.MethodPost, "/v1/clinics/"+clinicID+"/patients", body).OK(t, http.StatusOK).Object(t)
}
