package events_test

import (
	"net/http"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// queries are what some operations that read cannot be called without.
var queries = map[string]string{
	"TideReport": "?period=7d&lastDataCutoff=2024-01-01T00:00:00Z&tags={red}",
}

// readable is a stage on which all can be read that a path names.
func readable(s *stage) {
	invite := testkit.NewUserID()
	subscribed(s)
	s.join("north", "member", "CLINIC_MEMBER")
	s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/mrn", object{"required": false, "unique": false}).OK(s, http.StatusOK)
	s.send(testkit.Service, "POST /v1/clinics/{north}/migrations", object{"userId": s.ids["admin"]}).OK(s, http.StatusOK)
	s.send(testkit.Service, "POST /v1/clinics/{north}/clinicians", object{
		"inviteId": invite, "email": invite + "@other.example.com", "roles": []string{"CLINIC_ADMIN"},
	}).OK(s, http.StatusOK)
	clinic := s.send(testkit.Service, "GET /v1/clinics/{north}", nil).OK(s, http.StatusOK).Object(s)
	s.ids["shareCode"], _ = clinic["shareCode"].(string)
	s.ids["clinicId"], s.ids["inviteId"] = s.ids["north"], invite
	s.ids["patientId"], s.ids["clinicianId"], s.ids["userId"] = s.ids["anna"], s.ids["admin"], s.ids["admin"]
}
