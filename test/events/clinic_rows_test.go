package events_test

import (
	"slices"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func rows() []row {
	return slices.Concat(clinicRows(), settingRows(), groupRows(), memberRows(), migrationRows(), patientRows(), dataRows(),
		removalRows(), redoxRows(), xealthRows(), mergeRows())
}

// calls returns a row whose call is one line by a user of the stage, or by "service". A body that is text may name ids.
func calls(operation, when string, set func(*stage), caller, line string, body any) row {
	return row{situation{operation, when}, set, func(s *stage) testkit.Response {
		if text, ok := body.(string); ok {
			return s.send(s.caller(caller), line, s.fillBody(text))
		}
		return s.send(s.caller(caller), line, body)
	}}
}

// also adds to a stage.
func also(set func(*stage), more func(*stage)) func(*stage) {
	return func(s *stage) {
		set(s)
		more(s)
	}
}

func one(s *stage) { s.clinic("north", "admin") }

func clinicRows() []row {
	return []row{
		calls("CreateClinic", "", empty, "admin", "POST /v1/clinics", object{"name": "Clinic new", "preferredBgUnits": "mg/dL"}),
		calls("UpdateClinic", "", one, "admin", "PUT /v1/clinics/{north}", object{"name": "Other name", "preferredBgUnits": "mmol/L"}),
		calls("DeleteClinic", "", team, "admin", "DELETE /v1/clinics/{north}", nil),
		calls("UpdateTier", "", one, "service", "POST /v1/clinics/{north}/tier", object{"tier": "tier0300"}),
		calls("UpdateSuppressedNotifications", "", one, "admin", "POST /v1/clinics/{north}/suppressed_notifications",
			object{"suppressedNotifications": object{"patientClinicInvitation": true}}),
		calls("UpdateMembershipRestrictions", "", one, "service", "PUT /v1/clinics/{north}/membership_restrictions",
			object{"restrictions": []object{{"emailDomain": "a.example", "requiredIdp": "x"}}}),
		calls("UpdateMembershipRestrictions", "none left", one, "service", "PUT /v1/clinics/{north}/membership_restrictions", object{}),
	}
}

func settingRows() []row {
	return []row{
		calls("UpdateEHRSettings", "", one, "service", "PUT /v1/clinics/{north}/settings/ehr", object{
			"enabled": false, "provider": "xealth", "sourceId": "", "mrnIdType": "MR", "procedureCodes": object{},
			"scheduledReports": object{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": object{}, "flowsheets": object{"icode": false},
		}),
		calls("UpdateMRNSettings", "", one, "service", "PUT /v1/clinics/{north}/settings/mrn", object{"required": true, "unique": false}),
		calls("UpdatePatientCountSettings", "", one, "service", "PUT /v1/clinics/{north}/settings/patient_count", object{"hardLimit": object{"plan": 9}}),
		calls("RefreshPatientCount", "the number was right", full, "service", "POST /v1/clinics/{north}/patient_count/refresh", nil),
		calls("RefreshPatientCount", "the number was wrong", also(full, func(s *stage) { s.miscount("north") }),
			"service", "POST /v1/clinics/{north}/patient_count/refresh", nil),
	}
}

func groupRows() []row {
	return []row{
		calls("CreatePatientTag", "", one, "admin", "POST /v1/clinics/{north}/patient_tags", object{"name": "red"}),
		calls("UpdatePatientTag", "", full, "admin", "PUT /v1/clinics/{north}/patient_tags/{blue}", object{"name": "green"}),
		calls("DeletePatientTag", "two patients have it", full, "admin", "DELETE /v1/clinics/{north}/patient_tags/{red}", nil),
		calls("DeletePatientTag", "the second", also(full, func(s *stage) { s.send(s.as("admin"), "DELETE /v1/clinics/{north}/patient_tags/{red}", nil).OK(s, 204) }),
			"admin", "DELETE /v1/clinics/{north}/patient_tags/{blue}", nil),
		calls("AssignPatientTagToClinicPatients", "five of six have it not", full, "admin", "POST /v1/clinics/{north}/patients/assign_tag/{blue}", nil),
		calls("AssignPatientTagToClinicPatients", "to one who has another", full, "admin", "POST /v1/clinics/{north}/patients/assign_tag/{blue}", `["{anna}"]`),
		calls("AssignPatientTagToClinicPatients", "to one who has it", full, "admin", "POST /v1/clinics/{north}/patients/assign_tag/{red}", `["{anna}"]`),
		calls("DeletePatientTagFromClinicPatients", "two of six have it", full, "service", "POST /v1/clinics/{north}/patients/delete_tag/{red}", nil),
		calls("CreateSite", "", one, "admin", "POST /v1/clinics/{north}/sites", object{"name": "hill"}),
		calls("UpdateSite", "two patients are there, for one it is the second", full, "admin", "PUT /v1/clinics/{north}/sites/{hill}", `{"id": "{hill}", "name": "peak"}`),
		calls("DeleteSite", "two patients are there", full, "admin", "DELETE /v1/clinics/{north}/sites/{harbour}", nil),
		calls("MergeSite", "two patients are there, one of them in both", full, "service", "POST /v1/clinics/{north}/sites/{hill}/merge", `{"id": "{harbour}"}`),
		calls("ConvertPatientTagToSite", "two patients have it", full, "service", "POST /v1/clinics/{north}/patient_tags/{red}/site", nil),
	}
}
