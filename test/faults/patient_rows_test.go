package faults_test

import (
	"net/http"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// full is a clinic with tags, sites, and patients in all combinations of them, beside another clinic.
func full(s *scene) {
	s.clinic("north", admin)
	s.clinic("south", other)
	s.tag("red", "north")
	s.tag("blue", "north")
	s.site("harbour", "north")
	s.site("hill", "north")
	harbour, hill := map[string]any{"id": s.ids["harbour"], "name": "harbour"}, map[string]any{"id": s.ids["hill"], "name": "hill"}
	s.patient("anna", "north", map[string]any{
		"tags": []string{s.ids["red"]}, "sites": []any{harbour}, "mrn": "0001", "email": "anna@example.com",
		"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "pending"}},
	})
	s.patient("bert", "north", map[string]any{"tags": []string{s.ids["red"], s.ids["blue"]}, "sites": []any{harbour, hill}})
	s.patient("carl", "north", map[string]any{"tags": []string{}, "sites": []any{hill}})
	s.patient("dora", "north", nil)
	s.claimed(guest, "north")
	s.claimed(guest, "south")
	s.claimed(member, "north")
}

var sources = []any{
	map[string]any{"providerName": "twiist", "state": "connected", "dataSourceId": "0123456789abcdef01234567", "modifiedTime": "2024-01-02T03:04:05Z"},
	map[string]any{"providerName": "abbott", "state": "error"},
}

// summaryID is the id of half a summary.
const summaryID = "0123456789abcdef01234567"

// stats is half a summary.
func stats(id string) map[string]any {
	return map[string]any{
		"id": id, "config": map[string]any{"schemaVersion": 5, "highGlucoseThreshold": 10, "lowGlucoseThreshold": 3.9, "veryHighGlucoseThreshold": 13.9, "veryLowGlucoseThreshold": 3},
		"dates":   map[string]any{"hasFirstData": false, "hasLastData": false, "hasLastUploadDate": false, "hasOutdatedSince": false},
		"periods": map[string]any{},
	}
}

func patientOperations() []operation {
	orphan := &exception{why: "the account is made first; without an address nothing tells whose it is, and it stays behind"}
	return []operation{
		{
			name: "CreatePatientAccount", stage: full, transactions: 2,
			instead: "a place is reserved before the account is made, and filled or given back after it",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients", map[string]any{
					"fullName": "Patient new", "birthDate": "1991-02-03", "tags": []string{s.ids["red"]},
					"sites": []any{map[string]any{"id": s.ids["hill"], "name": "hill"}},
				})
			},
			accounts: orphan,
			twice:    &exception{why: "nothing tells that a patient without address and MRN is there already"},
		},
		{
			name: "CreatePatientAccount (with an address)", stage: full, transactions: 2,
			instead: "as above; the creation says which account to take over",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients", map[string]any{
					"fullName": "Patient new", "birthDate": "1991-02-03", "email": "New@example.com", "mrn": "0002",
				})
			},
			repeat: &exception{why: "the first call had added the patient, and only its answer was lost", status: 409},
		},
		{
			name: "CreatePatientFromUser", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/patients/"+other, map[string]any{
					"permissions": map[string]any{"view": map[string]any{}},
				})
			},
			repeat: &exception{why: "the first call had added the patient, and only its answer was lost; callers take this for success", status: 409},
		},
		{
			name: "CreatePatientFromUser (known, of a legacy clinic)", stage: full,
			instead: "one document is written",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/clinics/{north}/patients/"+guest, map[string]any{"legacyClinicianId": legacy, "isMigrated": true})
			},
		},
		{
			name: "UpdatePatient", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/patients/{anna}", map[string]any{
					"fullName": "Patient anna", "birthDate": "1992-03-04", "email": "anna@new.example.com", "mrn": "0003",
					"tags": []string{s.ids["blue"]}, "sites": []any{}, "dataSources": sources,
				})
			},
		},
	}
}

func patientDataOperations() []operation {
	gone := &exception{why: "the first call had removed the patient, and only its answer was lost", status: 404}
	return []operation{
		{
			name: "UpdatePatientPermissions", stage: full,
			instead: "one document is written",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(guest), "PUT /v1/clinics/{north}/patients/"+guest+"/permissions", map[string]any{"upload": map[string]any{}})
			},
		},
		{
			name: "UpdatePatientPermissions (none left)", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(guest), "PUT /v1/clinics/{north}/patients/"+guest+"/permissions", map[string]any{})
			},
			repeat: gone,
		},
		{
			name: "DeletePatientPermission (last)", transactions: 1,
			stage: func(s *scene) {
				full(s)
				s.send(testkit.User(guest), "DELETE /v1/clinics/{north}/patients/"+guest+"/permissions/note", nil).OK(s, 204)
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(guest), "DELETE /v1/clinics/{north}/patients/"+guest+"/permissions/view", nil)
			},
			repeat: gone,
		},
		{
			name: "DeletePatient", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/patients/{anna}", nil)
			},
			repeat: gone,
		},
		{
			name: "UpdatePatientDataSources", stage: full, transactions: 2,
			instead: "one for each clinic; a repeat sets all again",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "PUT /v1/patients/"+guest+"/data_sources", sources)
			},
		},
		{
			name: "ConnectProvider", stage: full, transactions: 1,
			call: func(s *scene) testkit.Response {
				return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/{anna}/connect/dexcom", nil)
			},
			twice: &exception{why: "whoever asks again wants the patient to be asked again"},
		},
		{
			name:    "DeletePatientSummary",
			instead: "one update of the patient in all clinics; a repeat removes the rest",
			stage: func(s *scene) {
				full(s)
				s.send(testkit.Service, "POST /v1/patients/"+guest+"/summary", map[string]any{"cgmStats": stats(summaryID)}).OK(s, 200)
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "DELETE /v1/summaries/"+summaryID+"/clinics", nil)
			},
			repeat: &exception{why: "the first call had removed them, and only its answer was lost", status: http.StatusNoContent},
		},
		{
			name: "UpdatePatientSummary", stage: full,
			instead: "one update of the patient in all clinics; a repeat sets the same again",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "POST /v1/patients/"+guest+"/summary", nil)
			},
		},
	}
}

func removalOperations() []operation {
	return []operation{
		{
			name: "DeleteUserFromClinics (patient)", stage: full, transactions: 2,
			instead: "one for each clinic; a repeat goes on with those that are left",
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "DELETE /v1/users/"+guest+"/clinics", nil)
			},
		},
		{
			name: "DeleteUserFromClinics (one of many admins)", transactions: 2,
			instead: "one for each clinic and role; a repeat goes on with those that are left",
			stage: func(s *scene) {
				team(s)
				s.claimed(other, "north")
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "DELETE /v1/users/"+other+"/clinics", nil)
			},
		},
		{
			name: "DeleteUserFromClinics (last member, patient elsewhere)", transactions: 4,
			instead: "one for each clinic and role, patients before the last member, by whom a repeat finds them",
			stage: func(s *scene) {
				full(s)
				s.join("south", admin, "CLINIC_MEMBER")
				s.claimed(admin, "south")
			},
			call: func(s *scene) testkit.Response {
				return s.send(testkit.Service, "DELETE /v1/users/"+admin+"/clinics", nil)
			},
		},
	}
}
