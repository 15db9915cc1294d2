package faults_test

import (
	"github.com/tidepool-org/clinic/internal/testkit"
)

func clinicOperations() []operation {
	return []operation{
		{
			name: "CreateClinic", transactions: 1,
			stage: func(*scene) {},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics", map[string]any{"name": "Clinic new", "preferredBgUnits": "mg/dL"})
			},
			orphans: &exception{
				why:         "the clinic is written last; what was written for a clinic that did not come to be is invisible",
				collections: []string{"clinicians", "patients", "patient_census"},
			},
			twiceIfKilled: &exception{why: "nothing tells a repeat from a second clinic"},
		},
		{
			name: "EnableNewClinicExperience", transactions: 1,
			stage: func(*scene) {},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinicians/"+legacy+"/migrate", nil)
			},
			orphans: &exception{
				why:         "as for CreateClinic",
				collections: []string{"clinicians", "patient_census"},
			},
			twiceIfKilled: &exception{why: "as for CreateClinic"},
		},
		{
			name: "DeleteClinic", transactions: 1,
			stage: func(s *scene) {
				s.clinic("north", admin)
				s.clinic("south", other)
				s.join("north", member, "CLINIC_MEMBER")
				s.invite("north", "invite", "CLINIC_MEMBER")
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}", nil)
			},
			repeat: &exception{
				why:    "if only the answer was lost, the clinic and its members are gone, and the caller is no member any more",
				status: 403,
			},
		},
	}
}

func migrationOperations() []operation {
	return []operation{
		{
			name: "TriggerInitialMigration", transactions: 1,
			stage: func(s *scene) {
				s.make("moving", testkit.Service, "POST /v1/clinicians/"+legacy+"/migrate", nil)
				s.send(testkit.User(legacy), "PUT /v1/clinics/{moving}", map[string]any{
					"name": "Clinic moving", "address": "1 Main Street", "city": "Town", "postalCode": "12345", "state": "CA",
					"country": "US", "clinicType": "provider_practice", "website": "https://example.com", "preferredBgUnits": "mg/dL",
					"phoneNumbers": []any{map[string]any{"type": "Office", "number": "555-0100"}},
				}).OK(s, 200)
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(legacy), "POST /v1/clinics/{moving}/migrate", nil)
			},
			repeat: &exception{why: "the first call had marked the clinic as migrated, and only its answer was lost", status: 422},
		},
	}
}
