package faults_test

import (
	"github.com/tidepool-org/clinic/internal/testkit"
)

// team is a clinic with two admins, a member and an invite.
func team(s *scene) {
	s.clinic("north", admin)
	s.join("north", other, "CLINIC_ADMIN")
	s.join("north", member, "CLINIC_MEMBER")
	s.invite("north", "invite", "CLINIC_ADMIN")
}

func memberOperations() []operation {
	done := &exception{why: "the first call had added the member, and only its answer was lost", status: 409}
	return []operation{
		{
			name: "CreateClinician", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/clinicians", map[string]any{
					"id": guest, "email": "Guest@example.com", "roles": []string{"CLINIC_ADMIN"}, "name": "Gus Guest",
				})
			},
			repeat: done,
		},
		{
			name: "CreateClinician (plain member)", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/clinicians", map[string]any{
					"id": guest, "email": "Guest@example.com", "roles": []string{"CLINIC_MEMBER"}, "name": "Gus Guest",
				})
			},
			repeat: done,
		},
		{
			name: "AddServiceAccount", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/service_accounts", map[string]any{
					"name": "Robot", "client_id": "robot", "client_secret": "secret",
				})
			},
			repeat: done,
		},
		{
			name: "UpdateClinician (promoted)", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/clinicians/"+member, map[string]any{
					"id": member, "email": "", "roles": []string{"CLINIC_ADMIN"}, "name": "Max Admin",
				})
			},
		},
		{
			name: "UpdateClinician (demoted)", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/clinicians/"+other, map[string]any{
					"id": other, "email": "", "roles": []string{"CLINIC_MEMBER"}, "name": "Olga Member",
				})
			},
		},
		{
			name: "AssociateClinicianToUser", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "PATCH /v1/clinics/{north}/invites/clinicians/invite/clinician", map[string]any{"userId": guest})
			},
			repeat: &exception{why: "the first call had used up the invite, and only its answer was lost", status: 404},
		},
		{
			name: "DeleteClinician", transactions: 1,
			stage: team,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/clinicians/"+other, nil)
			},
			repeat: &exception{why: "the first call had removed the member, and only its answer was lost", status: 404},
		},
		{
			name:    "UpdateClinicUserDetails",
			instead: "an address is copied to each record; a repeat sets it again",
			stage: func(s *scene) {
				team(s)
				s.clinic("south", guest)
				s.join("south", member, "CLINIC_MEMBER")
				s.claimed(member, "north")
				s.claimed(member, "south")
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/users/"+member+"/clinics", map[string]any{"email": "max@new.example.com"})
			},
		},
	}
}
