package faults_test

import (
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func groupOperations() []operation {
	gone := &exception{why: "the first call had done all, and only its answer was lost", status: 404}
	return []operation{
		{
			name: "UpdateSite", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/sites/{harbour}", map[string]any{"id": s.ids["harbour"], "name": "Port"})
			},
		},
		{
			name: "DeleteSite", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/sites/{harbour}", nil)
			},
			repeat: gone,
		},
		{
			name: "MergeSite", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/sites/{hill}/merge", map[string]any{"id": s.ids["harbour"]})
			},
			repeat: gone,
		},
		{
			name: "ConvertPatientTagToSite", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/patient_tags/{red}/site", nil)
			},
			repeat: gone,
		},
		{
			name: "DeletePatientTag", stage: full,
			instead: "one update of the clinic; the worker then takes the tag from the patients",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/patient_tags/{red}", nil)
			},
			uncounted: &exception{
				why:         "patients still have the tag; its number, which nobody sees, goes when the worker takes it from them",
				collections: []string{census.CollectionName},
			},
		},
		{
			name: "AssignPatientTagToClinicPatients (all)", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/assign_tag/{blue}", nil)
			},
		},
		{
			name: "AssignPatientTagToClinicPatients (some)", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/assign_tag/{blue}", []string{s.ids["anna"], s.ids["dora"]})
			},
		},
		{
			name: "DeletePatientTagFromClinicPatients", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/delete_tag/{red}", nil)
			},
		},
	}
}
