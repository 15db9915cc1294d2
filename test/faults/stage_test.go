package faults_test

import (
	"net/http"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// clinic puts a clinic with one admin on the stage.
func (s *scene) clinic(name, adminID string) {
	s.Helper()
	s.make(name, testkit.User(adminID), "POST /v1/clinics", map[string]any{"name": "Clinic " + name, "preferredBgUnits": "mg/dL"})
}

// join makes a user a member of a clinic.
func (s *scene) join(clinic, userID string, roles ...string) {
	s.Helper()
	s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/clinicians", map[string]any{
		"id": userID, "email": userID + "@example.com", "roles": roles, "name": names[userID],
	}).OK(s, http.StatusOK)
}

// invite invites somebody to a clinic.
func (s *scene) invite(clinic, inviteID string, roles ...string) {
	s.Helper()
	s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/clinicians", map[string]any{
		"inviteId": inviteID, "email": inviteID + "@example.com", "roles": roles,
	}).OK(s, http.StatusOK)
}

// patient adds a custodial patient to a clinic.
func (s *scene) patient(name, clinic string, extra map[string]any) {
	s.Helper()
	body := map[string]any{"fullName": "Patient " + name, "birthDate": "1990-05-06"}
	for field, value := range extra {
		body[field] = value
	}
	s.make(name, testkit.Service, "POST /v1/clinics/{"+clinic+"}/patients", body)
}

// claimed adds a patient who has an account and shares its data with the clinic.
func (s *scene) claimed(userID, clinic string) {
	s.Helper()
	s.send(testkit.Service, "POST /v1/clinics/{"+clinic+"}/patients/"+userID, map[string]any{
		"permissions": map[string]any{"view": map[string]any{}, "note": map[string]any{}},
	}).OK(s, http.StatusOK)
}

// tag puts a tag into a clinic.
func (s *scene) tag(name, clinic string) { s.Helper(); s.label(name, clinic, "patientTags", "_id") }

// site puts a site into a clinic.
func (s *scene) site(name, clinic string) { s.Helper(); s.label(name, clinic, "sites", "id") }

// label adds a tag or site as it is stored.
func (s *scene) label(name, clinic, list, idField string) {
	s.Helper()
	clinicID, err := bson.ObjectIDFromHex(s.ids[clinic])
	require.NoError(s, err)
	id := bson.NewObjectID()
	_, err = s.app.Store.Collection(clinics.CollectionName).UpdateByID(s.Context(), clinicID, bson.D{{Key: "$push", Value: bson.D{
		{Key: list, Value: bson.D{{Key: idField, Value: id}, {Key: "name", Value: name}}},
	}}})
	require.NoError(s, err)
	s.ids[name] = id.Hex()
}
