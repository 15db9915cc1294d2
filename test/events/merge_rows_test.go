package events_test

func mergeRows() []row {
	return []row{
		calls("GenerateMergeReport", "", twoClinics, "service", "POST /v1/clinics/{north}/reports/merge", `{"sourceId": "{south}"}`),
		calls("MergeClinic", "each clinic has what the other has, and more", twoClinics, "service", "POST /v1/clinics/{north}/merge", `{"sourceId": "{south}"}`),
	}
}

// twoClinics are two clinics of which each has what the other has, and what it has not. The names of what both have are the
// same in both.
func twoClinics(s *stage) {
	s.clinic("north", "admin")
	s.clinic("south", "other")
	s.join("north", "member", "CLINIC_MEMBER")
	s.join("south", "member", "CLINIC_ADMIN")
	s.join("south", "guest", "CLINIC_MEMBER")
	for _, clinic := range []string{"north", "south"} {
		s.tag("red", clinic)
		s.site("harbour", clinic)
	}
	s.tag("blue", "south")
	s.site("hill", "south")
	s.patient("anna", "south", object{
		"tags":  []string{s.ids["red"], s.ids["blue"]},
		"sites": []object{{"id": s.ids["harbour"], "name": "harbour"}, {"id": s.ids["hill"], "name": "hill"}},
	})
	s.patient("bert", "south", nil)
	s.patient("carl", "north", nil)
	s.claimed("guest", "north")
	s.claimed("guest", "south")
}
