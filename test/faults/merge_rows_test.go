package faults_test

import (
	"net/http"
	"strings"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

func mergeOperations() []operation {
	return []operation{{
		// Each kind of record in a transaction of its own, and one that ends the merge.
		name: "MergeClinic", stage: twoClinics, transactions: 5, apart: preparesMerge,
		instead: "a clinic may be too large for one: each batch is one, and the open merge says what is left",
		call: func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/clinics/{north}/merge", map[string]any{"sourceId": s.ids["south"]})
		},
		repeat: &exception{why: "the first call had done all, and only its answer was lost", status: http.StatusNotFound},
	}}
}

// preparesMerge reports whether a write keeps the list of what is to be done, or is one that can be repeated at any time: the
// target gets tags and sites before the first patient moves, and patients get the new names of sites after the last.
func preparesMerge(c wire.Command) bool {
	switch c.Collection {
	case "open_merges", "open_merge_steps":
		return true
	case clinics.CollectionName:
		return strings.Contains(c.Body.String(), `"$push"`)
	case patients.CollectionName:
		return strings.Contains(c.Body.String(), `"sites.$.name"`)
	default:
		return false
	}
}

// twoClinics puts two clinics on the stage that share members, patients, a tag and a site.
func twoClinics(s *scene) {
	s.clinic("north", admin)
	s.clinic("south", other)
	s.join("north", member, clinicians.RoleMember)
	s.join("south", member, clinicians.RoleAdmin)
	s.join("south", guest, clinicians.RoleMember)
	for _, clinic := range []string{"north", "south"} {
		for _, name := range []string{"red", "harbour"} {
			delete(s.ids, name)
		}
		s.tag("red", clinic)
		s.site("harbour", clinic)
	}
	s.tag("blue", "south")
	s.site("hill", "south")
	groups := map[string]any{
		"tags":  []string{s.ids["red"], s.ids["blue"]},
		"sites": []map[string]any{{"id": s.ids["harbour"], "name": "harbour"}, {"id": s.ids["hill"], "name": "hill"}},
	}
	s.patient("anna", "south", groups)
	s.patient("bert", "south", nil)
	s.patient("carl", "north", nil)
	s.claimed(legacy, "north")
	s.claimed(legacy, "south")
}
