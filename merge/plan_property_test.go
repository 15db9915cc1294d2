package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
)

// Names are drawn from few, so that they often meet.
var (
	tagNames  = rapid.SampledFrom([]string{"Pump", "pump", "P ump", "Type 1", "Teens", "type1"})
	siteNames = rapid.SampledFrom([]string{"North", "north", "North (2)", "North (3)", "South", "SOUTH (2)"})
	fullNames = rapid.SampledFrom([]string{"", " ", "Ann Lee", "ann lee ", "Bo", "Cy"})
	births    = rapid.SampledFrom([]string{"", "2001-01-01", "2002-02-02"})
	numbers   = rapid.SampledFrom([]string{"", " ", "1", "1 ", "a", "A"})
)

// drawWorkspace returns a clinic as the service allows it: no two equal names of tags or of sites, no user twice.
func drawWorkspace(t *rapid.T, name string) *merge.Workspace {
	w := workspace(name)
	withTags(w, rapid.SliceOfNDistinct(tagNames, 0, 4, clinics.TagNameKey).Draw(t, name+" tags")...)
	withSites(w, rapid.SliceOfNDistinct(siteNames, 0, 4, strings.ToLower).Draw(t, name+" sites")...)
	w.Clinic.MRNSettings = &clinics.MRNSettings{Required: rapid.Bool().Draw(t, "required"), Unique: rapid.Bool().Draw(t, "unique")}
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 8), 0, 6, rapid.ID[int]).Draw(t, name+" patients") {
		patient := merge.Patient{
			ID: id(fmt.Sprint(name, n)), UserID: fmt.Sprint("user", n), FullName: fullNames.Draw(t, "name"), BirthDate: births.Draw(t, "birth"), MRN: numbers.Draw(t, "MRN"),
		}
		for _, tag := range w.Clinic.PatientTags {
			if rapid.Bool().Draw(t, "tagged") {
				patient.Tags = append(patient.Tags, tag.ID)
			}
		}
		for _, site := range w.Clinic.Sites {
			if rapid.Bool().Draw(t, "at site") {
				patient.Sites = append(patient.Sites, patients.Site(site))
			}
		}
		w.Patients = append(w.Patients, patient)
	}
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 4, rapid.ID[int]).Draw(t, name+" members") {
		w.Members = append(w.Members, member(fmt.Sprint("member", n), fmt.Sprint(n, "@", name), rapid.SampledFrom([]string{"CLINIC_ADMIN", "CLINIC_MEMBER"}).Draw(t, "role")))
	}
	return w
}

func drawPlan(t *rapid.T) *merge.Plan {
	return planOf(drawWorkspace(t, "Source"), drawWorkspace(t, "Target"))
}

func users(list []merge.Patient) []string {
	var found []string
	for i := range list {
		found = append(found, list[i].UserID)
	}
	return found
}

func TestEveryPatientIsInTheTargetOnceAfterTheMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		require.Len(t, p.Patients, len(p.Source.Patients)+len(p.Target.Patients), "every patient has one outcome")
		var after []string
		for i := range p.Patients {
			plan := &p.Patients[i]
			switch plan.Action {
			case merge.Move:
				require.True(t, plan.FromSource)
				require.Nil(t, plan.Into)
				after = append(after, plan.Patient.UserID)
			case merge.Merge:
				require.True(t, plan.FromSource)
				require.Equal(t, plan.Patient.UserID, plan.Into.UserID)
			case merge.Retain, merge.MergeInto:
				require.False(t, plan.FromSource)
				after = append(after, plan.Patient.UserID)
			default:
				t.Fatalf("unexpected action %s", plan.Action)
			}
		}
		all := slices.Concat(users(p.Source.Patients), users(p.Target.Patients))
		slices.Sort(all)
		require.ElementsMatch(t, slices.Compact(all), after)
	})
}

func TestEveryMemberIsInTheTargetOnceAfterTheMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		require.Len(t, p.Members, len(p.Source.Members)+len(p.Target.Members))
		var all, after []string
		for i := range p.Members {
			plan := &p.Members[i]
			all = append(all, *plan.Member.UserID)
			if plan.Action != merge.Merge {
				after = append(after, *plan.Member.UserID)
			} else {
				require.Equal(t, plan.Into.Roles, plan.ResultingRoles, "nobody gains rights by a merge")
			}
		}
		slices.Sort(all)
		require.ElementsMatch(t, slices.Compact(all), after)
	})
}

func TestNoTagAndNoSiteIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		tags := map[string]int{} // of the target after the merge
		for _, tag := range p.Tags {
			if tag.Action != merge.Skip {
				tags[clinics.TagNameKey(tag.Name)]++
			}
		}
		for _, tag := range p.Tags {
			require.Equal(t, 1, tags[clinics.TagNameKey(tag.Name)], "each name once: %s", tag.Name)
		}
		sites := map[bson.ObjectID]string{}
		for _, site := range p.Sites {
			for _, other := range sites {
				require.False(t, clinics.SameSiteName(other, site.ResultingName()), "each name once: %s", other)
			}
			sites[site.Site.ID] = site.ResultingName()
		}
		require.Len(t, sites, len(p.Source.Clinic.Sites)+len(p.Target.Clinic.Sites))
		for i := range p.Patients {
			plan := &p.Patients[i]
			if !plan.FromSource {
				continue
			}
			names := p.Names(plan)
			for _, before := range slices.Concat(names.SourceTags, names.TargetTags) {
				require.True(t, slices.ContainsFunc(names.AfterTags, func(after string) bool { return clinics.SameTagName(before, after) }), before)
			}
			require.Len(t, names.AfterSites, len(names.SourceSites)+len(names.TargetSites))
			for _, site := range plan.Patient.Sites {
				require.Contains(t, names.AfterSites, sites[site.ID])
			}
		}
	})
}

// TestMatchesAgreeWithTheDefinition compares the search with a comparison of each with each.
func TestMatchesAgreeWithTheDefinition(t *testing.T) {
	t.Parallel()
	normal := func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	equal := func(a, b string) int {
		if a != "" && a == b {
			return 1
		}
		return 0
	}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		for i := range p.Source.Patients {
			a := &p.Source.Patients[i]
			var want []merge.Match
			for j := range p.Target.Patients {
				b := &p.Target.Patients[j]
				name, mrn, birth := equal(normal(a.FullName), normal(b.FullName)), equal(normal(a.MRN), normal(b.MRN)), equal(a.BirthDate, b.BirthDate)
				switch {
				case a.UserID == b.UserID:
					want = append(want, merge.Match{Category: merge.Duplicate, Index: j})
				case name+mrn+birth > 1:
					want = append(want, merge.Match{Category: merge.LikelyDuplicate, Index: j})
				case mrn == 1:
					want = append(want, merge.Match{Category: merge.SameMRN, Index: j})
				case name == 1:
					want = append(want, merge.Match{Category: merge.SameName, Index: j})
				}
			}
			require.ElementsMatch(t, want, p.Matches(&p.Patients[i]))
			counts := map[merge.Category]int{}
			for _, match := range want {
				counts[match.Category]++
			}
			require.Equal(t, counts, p.MatchCounts(&p.Patients[i]))
		}
	})
}

func TestAMergeWithoutObstaclesKeepsUniqueNumbersUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source, target := drawWorkspace(t, "Source"), drawWorkspace(t, "Target")
		source.Clinic.MRNSettings, target.Clinic.MRNSettings = &clinics.MRNSettings{Unique: true}, &clinics.MRNSettings{Unique: true}
		p := planOf(source, target)
		if len(p.Obstacles()) > 0 {
			return
		}
		taken := map[string]bool{}
		for i := range p.Target.Patients {
			taken[strings.ToLower(strings.TrimSpace(p.Target.Patients[i].MRN))] = true
		}
		for i := range p.Patients {
			if mrn := strings.ToLower(strings.TrimSpace(p.Patients[i].Patient.MRN)); p.Patients[i].Action == merge.Move && mrn != "" {
				require.False(t, taken[mrn])
				require.True(t, p.Patients[i].UniqueMRN)
				taken[mrn] = true
			}
		}
	})
}

func TestEveryPatientIsInOneClusterAtMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := drawWorkspace(t, "Source").Patients
		cluster := map[string]int{}
		for n, c := range merge.Clusters(list) {
			require.Greater(t, len(c.Members), 1)
			for _, m := range c.Members {
				require.NotContains(t, cluster, m.Patient.UserID)
				cluster[m.Patient.UserID] = n
				require.NotEmpty(t, m.Alike())
				require.Len(t, m.Counts(), len(m.Alike()))
				for category, users := range m.Alike() {
					require.Equal(t, len(users), m.Counts()[category])
				}
			}
		}
		p := planOf(&merge.Workspace{Clinic: workspace("S").Clinic, Patients: list}, &merge.Workspace{Clinic: workspace("T").Clinic, Patients: list})
		for i := range list {
			for _, match := range p.Matches(&p.Patients[i]) {
				require.Equal(t, cluster[list[i].UserID], cluster[list[match.Index].UserID], "who is alike is in the same cluster")
			}
		}
	})
}

func TestTheSameInputLeadsToTheSamePlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source, target := drawWorkspace(t, "Source"), drawWorkspace(t, "Target")
		require.Equal(t, planOf(source, target).Report(), planOf(source, target).Report())
	})
}
