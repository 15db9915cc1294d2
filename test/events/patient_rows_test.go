package events_test

import (
	"net/http"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// asked is a clinic one of whose patients was asked to connect to a provider.
func asked(s *stage) {
	full(s)
	s.send(s.as("admin"), "POST /v1/clinics/{north}/patients/{anna}/connect/dexcom", nil).OK(s, http.StatusNoContent)
}

func patientRows() []row {
	anna := "PUT /v1/clinics/{north}/patients/{anna}"
	return []row{
		calls("CreatePatientAccount", "", full, "admin", "POST /v1/clinics/{north}/patients",
			`{"fullName": "New", "birthDate": "1991-02-03", "tags": ["{red}"], "sites": [{"id": "{hill}", "name": "hill"}]}`),
		calls("CreatePatientAccount", "under a limit", also(full, func(s *stage) {
			s.send(testkit.Service, "PUT /v1/clinics/{north}/settings/patient_count", object{"hardLimit": object{"plan": 50}}).OK(s, http.StatusOK)
		}), "admin", "POST /v1/clinics/{north}/patients", object{"fullName": "New", "birthDate": "1991-02-03"}),
		calls("CreatePatientFromUser", "", full, "service", "POST /v1/clinics/{north}/patients/{other}", object{"permissions": object{"view": object{}}}),
		calls("CreatePatientFromUser", "known already, of a legacy clinic", full, "service", "POST /v1/clinics/{north}/patients/{guest}",
			object{"legacyClinicianId": "cc00000001", "isMigrated": true}),
		calls("UpdatePatient", "everything", full, "admin", anna, `{"fullName": "Anna", "birthDate": "1992-03-04", "email": "{guest}-new@example.com",
			"mrn": "0003", "targetDevices": ["dexcom"], "tags": ["{blue}"], "sites": [{"id": "{hill}", "name": "hill"}], "diagnosisType": "type1"}`),
		calls("UpdatePatient", "as it was, with another name", full, "admin", anna,
			`{"fullName": "Anna", "birthDate": "1990-05-06", "email": "{guest}-anna@example.com", "mrn": "0001", "tags": ["{red}"], "sites": [{"id": "{harbour}", "name": "harbour"}]}`),
		calls("UpdatePatient", "as little as can be", full, "admin", anna, object{"fullName": "Patient anna", "birthDate": "1990-05-06"}),
		calls("SendUploadReminder", "", full, "admin", "POST /v1/clinics/{north}/patients/{anna}/upload_reminder", nil),
		calls("ConnectProvider", "the first request", full, "admin", "POST /v1/clinics/{north}/patients/{anna}/connect/dexcom", nil),
		calls("ConnectProvider", "again", asked, "admin", "POST /v1/clinics/{north}/patients/{anna}/connect/dexcom", nil),
		calls("ConnectProvider", "another provider", asked, "admin", "POST /v1/clinics/{north}/patients/{anna}/connect/twiist", nil),
		calls("UpdatePatientReviews", "the first", full, "admin", "PUT /v1/clinics/{north}/patients/{anna}/reviews", nil),
		calls("DeletePatientReviews", "", also(full, func(s *stage) {
			s.send(s.as("admin"), "PUT /v1/clinics/{north}/patients/{anna}/reviews", nil).OK(s, http.StatusOK)
		}), "admin", "DELETE /v1/clinics/{north}/patients/{anna}/reviews", nil),
		calls("UpdatePatientPermissions", "", full, "guest", "PUT /v1/clinics/{north}/patients/{guest}/permissions", object{"upload": object{}}),
		calls("UpdatePatientPermissions", "none left", full, "guest", "PUT /v1/clinics/{north}/patients/{guest}/permissions", object{}),
		calls("DeletePatientPermission", "", full, "guest", "DELETE /v1/clinics/{north}/patients/{guest}/permissions/note", nil),
		calls("DeletePatientPermission", "the last", also(full, func(s *stage) {
			s.send(s.as("guest"), "DELETE /v1/clinics/{north}/patients/{guest}/permissions/note", nil).OK(s, http.StatusNoContent)
		}), "guest", "DELETE /v1/clinics/{north}/patients/{guest}/permissions/view", nil),
		calls("DeletePatient", "", full, "admin", "DELETE /v1/clinics/{north}/patients/{anna}", nil),
	}
}

// stats is half a summary.
func stats(id string) object {
	return object{
		"id":      id,
		"config":  object{"schemaVersion": 5, "highGlucoseThreshold": 10, "lowGlucoseThreshold": 3.9, "veryHighGlucoseThreshold": 13.9, "veryLowGlucoseThreshold": 3},
		"dates":   object{"hasFirstData": false, "hasLastData": false, "hasLastUploadDate": false, "hasOutdatedSince": false},
		"periods": object{},
	}
}

// summed is a clinic one of whose patients has half a summary, in both clinics.
func summed(s *stage) {
	full(s)
	s.ids["summary"] = "0123456789abcdef" + s.ids["guest"][:8]
	s.send(testkit.Service, "POST /v1/patients/{guest}/summary", object{"cgmStats": stats(s.ids["summary"])}).OK(s, http.StatusOK)
}

func dataRows() []row {
	sources := []any{object{"providerName": "twiist", "state": "connected", "dataSourceId": "0123456789abcdef01234567", "modifiedTime": "2024-01-02T03:04:05Z"}}
	return []row{
		calls("UpdatePatientSummary", "the first half, of a patient of two clinics", full, "service", "POST /v1/patients/{guest}/summary", object{"cgmStats": stats("1")}),
		calls("UpdatePatientSummary", "the other half", summed, "service", "POST /v1/patients/{guest}/summary", object{"bgmStats": stats("2")}),
		calls("UpdatePatientSummary", "both again", summed, "service", "POST /v1/patients/{guest}/summary", object{"cgmStats": stats("3"), "bgmStats": stats("4")}),
		calls("UpdatePatientSummary", "none", summed, "service", "POST /v1/patients/{guest}/summary", nil),
		calls("DeletePatientSummary", "of a patient of two clinics", summed, "service", "DELETE /v1/summaries/{summary}/clinics", nil),
		calls("UpdatePatientDataSources", "of a patient of two clinics", full, "service", "PUT /v1/patients/{guest}/data_sources", sources),
		calls("UpdateClinicUserDetails", "a member, and a patient of two clinics", also(full, func(s *stage) { s.join("south", "guest", "CLINIC_MEMBER") }),
			"service", "POST /v1/users/{guest}/clinics", `{"email": "{guest}@new.example.com"}`),
		calls("UpdateClinicUserDetails", "the address goes", also(full, func(s *stage) {
			s.send(testkit.Service, "POST /v1/users/{guest}/clinics", object{"email": s.ids["guest"] + "@new.example.com"}).OK(s, http.StatusOK)
		}), "service", "POST /v1/users/{guest}/clinics", object{}),
	}
}

func removalRows() []row {
	return []row{
		calls("DeleteUserFromClinics", "a patient of two clinics", full, "service", "DELETE /v1/users/{guest}/clinics", nil),
		calls("DeleteUserFromClinics", "one of many admins", team, "service", "DELETE /v1/users/{other}/clinics", nil),
		calls("DeleteUserFromClinics", "the last member", full, "service", "DELETE /v1/users/{admin}/clinics", nil),
	}
}
