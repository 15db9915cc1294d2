package events_test

import "github.com/tidepool-org/clinic/internal/testkit"

func memberRows() []row {
	changed := func(roles, name string) string {
		return `{"email": "", "name": "` + name + `", "roles": ["` + roles + `"]}`
	}
	demoted := func(s *stage) {
		team(s)
		s.send(s.as("admin"), "PUT /v1/clinics/{north}/clinicians/{other}", changed("CLINIC_MEMBER", "Name other")).OK(s, 200)
	}
	return []row{
		calls("CreateClinician", "an admin", team, "service", "POST /v1/clinics/{north}/clinicians",
			`{"id": "{guest}", "email": "{guest}@example.com", "roles": ["CLINIC_ADMIN"], "name": "Gus"}`),
		calls("CreateClinician", "a member", team, "service", "POST /v1/clinics/{north}/clinicians",
			`{"id": "{guest}", "email": "{guest}@example.com", "roles": ["CLINIC_MEMBER"], "name": "Gus"}`),
		calls("CreateClinician", "an invite", team, "service", "POST /v1/clinics/{north}/clinicians",
			`{"inviteId": "{guest}", "email": "{guest}@example.com", "roles": ["CLINIC_ADMIN"]}`),
		calls("AddServiceAccount", "", team, "service", "POST /v1/clinics/{north}/service_accounts",
			`{"name": "Robot", "client_id": "{guest}", "client_secret": "secret"}`),
		calls("UpdateClinician", "to admin", team, "admin", "PUT /v1/clinics/{north}/clinicians/{member}", changed("CLINIC_ADMIN", "Name member")),
		calls("UpdateClinician", "from admin", team, "admin", "PUT /v1/clinics/{north}/clinicians/{other}", changed("CLINIC_MEMBER", "Name other")),
		calls("UpdateClinician", "the roles change again", demoted, "admin", "PUT /v1/clinics/{north}/clinicians/{other}", changed("CLINIC_ADMIN", "Name other")),
		calls("UpdateClinician", "another name only", team, "admin", "PUT /v1/clinics/{north}/clinicians/{member}", changed("CLINIC_MEMBER", "Max")),
		calls("DeleteClinician", "an admin", team, "admin", "DELETE /v1/clinics/{north}/clinicians/{other}", nil),
		calls("DeleteClinician", "a member", team, "admin", "DELETE /v1/clinics/{north}/clinicians/{member}", nil),
		calls("AssociateClinicianToUser", "invited as admin", team, "service", "PATCH /v1/clinics/{north}/invites/clinicians/{invite}/clinician", `{"userId": "{guest}"}`),
		calls("DeleteInvitedClinician", "", team, "service", "DELETE /v1/clinics/{north}/invites/clinicians/{invite}/clinician", nil),
	}
}

func migrationRows() []row {
	moving := func(s *stage) { s.legacy() }
	begun := func(s *stage) {
		team(s)
		s.send(testkit.Service, "POST /v1/clinics/{north}/migrations", object{"userId": s.ids["admin"]}).OK(s, 200)
	}
	return []row{
		calls("EnableNewClinicExperience", "", func(s *stage) { s.account() }, "service", "POST /v1/clinicians/{legacy}/migrate", nil),
		calls("TriggerInitialMigration", "", moving, "legacy", "POST /v1/clinics/{moving}/migrate", nil),
		calls("MigrateLegacyClinicianPatients", "", team, "service", "POST /v1/clinics/{north}/migrations", `{"userId": "{admin}"}`),
		calls("UpdateMigration", "", begun, "service", "PATCH /v1/clinics/{north}/migrations/{admin}", object{"status": "RUNNING"}),
	}
}
