package merge_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
)

// id returns the id that goes with a label.
func id(label string) bson.ObjectID {
	sum := sha256.Sum256([]byte(label))
	return bson.ObjectID(sum[:12])
}

func pointer[T any](value T) *T { return &value }

// workspace returns a clinic without anything.
func workspace(name string) *merge.Workspace {
	return &merge.Workspace{Clinic: &clinics.Clinic{ID: id(name), Name: &name, PreferredBGUnits: "mg/dL"}}
}

func withTags(w *merge.Workspace, names ...string) *merge.Workspace {
	for _, name := range names {
		w.Clinic.PatientTags = append(w.Clinic.PatientTags, clinics.PatientTag{ID: id(w.Name() + name), Name: name})
	}
	return w
}

func withSites(w *merge.Workspace, names ...string) *merge.Workspace {
	for _, name := range names {
		w.Clinic.Sites = append(w.Clinic.Sites, clinics.Site{ID: id(w.Name() + name), Name: name})
	}
	return w
}

func member(userID, email string, roles ...string) merge.Member {
	m := merge.Member{Clinician: clinicians.Clinician{ID: id(userID + email), Email: &email, Roles: roles}}
	if userID != "" {
		m.UserID = &userID
	}
	return m
}

func planOf(source, target *merge.Workspace) *merge.Plan {
	return merge.NewPlan(source, target, time.Unix(1_700_000_000, 0))
}

func TestSettings(t *testing.T) {
	t.Parallel()
	restriction := func(domain, provider string) clinics.MembershipRestriction {
		return clinics.MembershipRestriction{EmailDomain: domain, RequiredIDP: provider}
	}
	type clinic = clinics.Clinic
	for name, test := range map[string]struct {
		source, target func(*clinic)
		want           []merge.Obstacle
	}{
		"nothing set":           {},
		"units":                 {source: func(c *clinic) { c.PreferredBGUnits = "mmol/L" }, want: []merge.Obstacle{merge.SettingsMismatch}},
		"one without time zone": {target: func(c *clinic) { c.Timezone = pointer("Europe/Berlin") }, want: []merge.Obstacle{merge.SettingsMismatch}},
		"empty time zone":       {target: func(c *clinic) { c.Timezone = pointer("") }},
		"MRN required":          {target: func(c *clinic) { c.MRNSettings = &clinics.MRNSettings{Required: true} }, want: []merge.Obstacle{merge.SettingsMismatch}},
		"MRN unique":            {source: func(c *clinic) { c.MRNSettings = &clinics.MRNSettings{Unique: true} }, want: []merge.Obstacle{merge.SettingsMismatch}},
		"MRN settings of zero":  {source: func(c *clinic) { c.MRNSettings = &clinics.MRNSettings{} }},
		"tier, country and EHR do not matter": {source: func(c *clinic) {
			c.Tier, c.Country, c.EHRSettings = "tier0400", pointer("CA"), &clinics.EHRSettings{Enabled: true}
		}},
		"restriction that the target lacks": {
			source: func(c *clinic) {
				c.MembershipRestrictions = []clinics.MembershipRestriction{restriction("a.example", "okta")}
			},
			want: []merge.Obstacle{merge.SettingsMismatch},
		},
		"restriction in capitals": {
			source: func(c *clinic) {
				c.MembershipRestrictions = []clinics.MembershipRestriction{restriction("a.example", "")}
			},
			target: func(c *clinic) {
				c.MembershipRestrictions = []clinics.MembershipRestriction{restriction("A.example", "")}
			},
			want: []merge.Obstacle{merge.SettingsMismatch},
		},
		"the last restriction of a domain counts": {
			source: func(c *clinic) {
				c.MembershipRestrictions = []clinics.MembershipRestriction{restriction("a.example", "x"), restriction("a.example", "okta")}
			},
			target: func(c *clinic) {
				c.MembershipRestrictions = []clinics.MembershipRestriction{restriction("b.example", ""), restriction("a.example", "okta")}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := workspace("Source"), workspace("Target")
			for w, change := range map[*merge.Workspace]func(*clinic){source: test.source, target: test.target} {
				if change != nil {
					change(w.Clinic)
				}
			}
			require.Equal(t, test.want, planOf(source, target).Obstacles())
		})
	}
}

func TestRestrictionsAreShownSorted(t *testing.T) {
	t.Parallel()
	target := workspace("Target")
	target.Clinic.MembershipRestrictions = []clinics.MembershipRestriction{{EmailDomain: "b.example", RequiredIDP: "okta"}, {EmailDomain: "a.example"}}
	plan := planOf(workspace("Source"), target)
	require.Equal(t, "N/A", plan.Restrictions.SourceValue)
	require.Equal(t, "a.example/, b.example/okta", plan.Restrictions.TargetValue)
	require.Empty(t, plan.Obstacles(), "a source without restrictions is no obstacle, although the report shows a difference")
}

func TestClinicsWithoutNameCanBeMerged(t *testing.T) {
	t.Parallel()
	source := workspace("Source")
	source.Clinic.Name = nil
	plan := planOf(withTags(source, "A"), workspace("Target"))
	require.Empty(t, plan.Obstacles())
	require.Equal(t, []string{""}, plan.Tags[0].Workspaces)
}

func TestSourceAndTargetMustDiffer(t *testing.T) {
	t.Parallel()
	require.Equal(t, []merge.Obstacle{merge.SourceIsTarget}, planOf(workspace("One"), workspace("One")).Obstacles())
}

func TestTags(t *testing.T) {
	t.Parallel()
	plan := planOf(withTags(workspace("Zoo"), "Type 1", "Pump", "f oo"), withTags(workspace("Ark"), "Foo", "Pump", "Old"))
	source, target := id("Zoo"), id("Ark")
	both := []string{"Ark", "Zoo"}
	require.Equal(t, []merge.TagPlan{
		{ID: id("ZooType 1"), Name: "Type 1", Action: merge.Create, Workspaces: []string{"Zoo"}, SourceID: &source, TargetID: target},
		{ID: id("ZooPump"), Name: "Pump", Action: merge.Skip, Workspaces: both, SourceID: &source, TargetID: target},
		{ID: id("Zoof oo"), Name: "f oo", Action: merge.Skip, Workspaces: both, SourceID: &source, TargetID: target},
		{ID: id("ArkFoo"), Name: "Foo", Action: merge.Retain, Workspaces: both, Merge: true, SourceID: &source, TargetID: target},
		{ID: id("ArkPump"), Name: "Pump", Action: merge.Retain, Workspaces: both, Merge: true, SourceID: &source, TargetID: target},
		{ID: id("ArkOld"), Name: "Old", Action: merge.Retain, Workspaces: []string{"Ark"}, TargetID: target},
	}, plan.Tags)
}

func TestTooManyTags(t *testing.T) {
	t.Parallel()
	full := workspace("Target")
	for i := range clinics.MaxTags {
		withTags(full, "tag"+string(rune('A'+i)))
	}
	require.Empty(t, planOf(withTags(workspace("Source"), "tagA"), full).Obstacles(), "no tag is created")
	require.Equal(t, []merge.Obstacle{merge.TooManyTags}, planOf(withTags(workspace("Source"), "new"), full).Obstacles())
}

func TestSites(t *testing.T) {
	t.Parallel()
	type outcome struct {
		Action  merge.Action
		NewName string
	}
	for name, test := range map[string]struct {
		source, target []string
		want           []outcome
	}{
		"free":                              {[]string{"North"}, []string{"South"}, []outcome{{merge.Move, ""}, {merge.Retain, ""}}},
		"taken":                             {[]string{"North"}, []string{"North", "North (2)"}, []outcome{{merge.Rename, "North (3)"}, {merge.Retain, ""}, {merge.Retain, ""}}},
		"taken in another case":             {[]string{"Foo"}, []string{"foo"}, []outcome{{merge.Rename, "Foo (2)"}, {merge.Retain, ""}}},
		"the new name is taken by a source": {[]string{"A", "A (2)"}, []string{"A"}, []outcome{{merge.Rename, "A (2)"}, {merge.Rename, "A (3)"}, {merge.Retain, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := planOf(withSites(workspace("Source"), test.source...), withSites(workspace("Target"), test.target...))
			var got []outcome
			for _, site := range plan.Sites {
				got = append(got, outcome{site.Action, site.NewName})
			}
			require.Equal(t, test.want, got)
			require.Equal(t, id("Source"), *plan.Sites[0].SourceID)
			require.Nil(t, plan.Sites[len(plan.Sites)-1].SourceID)
		})
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	const admin, plain = clinicians.RoleAdmin, clinicians.RoleMember
	source, target := workspace("S"), workspace("T")
	source.Members = []merge.Member{member("u1", "1@s", admin), member("u2", "2@s", admin), member("u3", "3@s", plain)}
	target.Members = []merge.Member{member("u1", "1@t", plain), member("u3", "3@t", admin), member("u4", "4@t", plain), member("", "5@t", admin)}
	plan := planOf(source, target)
	require.Empty(t, plan.Obstacles())
	both := []string{"S", "T"}
	require.Equal(t, []merge.MemberPlan{
		{Member: &source.Members[0], Action: merge.Merge, Into: &target.Members[0], ResultingRoles: []string{plain}, Downgraded: true, Workspaces: both},
		{Member: &source.Members[1], Action: merge.Move, ResultingRoles: []string{admin}, Workspaces: []string{"S"}},
		{Member: &source.Members[2], Action: merge.Merge, Into: &target.Members[1], ResultingRoles: []string{admin}, Workspaces: both},
		{Member: &target.Members[0], Action: merge.MergeInto, ResultingRoles: []string{plain}, Workspaces: both},
		{Member: &target.Members[1], Action: merge.MergeInto, ResultingRoles: []string{admin}, Workspaces: both},
		{Member: &target.Members[2], Action: merge.Retain, ResultingRoles: []string{plain}, Workspaces: []string{"T"}},
		{Member: &target.Members[3], Action: merge.Retain, ResultingRoles: []string{admin}, Workspaces: []string{"T"}},
	}, plan.Members)
}

func TestMemberObstacles(t *testing.T) {
	t.Parallel()
	const plain = clinicians.RoleMember
	for name, test := range map[string]struct {
		source     merge.Member
		restricted bool
		want       []merge.Obstacle
	}{
		"moves":                           {source: member("new", "new@s", plain)},
		"invite":                          {source: member("", "invited@s", plain), want: []merge.Obstacle{merge.PendingInvite}},
		"moves under a restriction":       {source: member("new", "new@s", plain), restricted: true, want: []merge.Obstacle{merge.RestrictedMembers}},
		"member of both, restricted":      {source: member("known", "other@s", plain), restricted: true},
		"address of an invite":            {source: member("new", "invited@t", plain), want: []merge.Obstacle{merge.DuplicateMemberEmail}},
		"address of another member":       {source: member("new", "known@t", plain), want: []merge.Obstacle{merge.DuplicateMemberEmail}},
		"own address as member of both":   {source: member("known", "known@t", plain)},
		"address in another notation":     {source: member("new", "Known@t", plain)},
		"service account without address": {source: merge.Member{Clinician: clinicians.Clinician{UserID: pointer("robot")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := workspace("S"), workspace("T")
			source.Members = []merge.Member{test.source}
			target.Members = []merge.Member{member("known", "known@t", plain), member("", "invited@t", plain)}
			if test.restricted {
				target.Clinic.MembershipRestrictions = []clinics.MembershipRestriction{{EmailDomain: "t"}}
			}
			require.Equal(t, test.want, planOf(source, target).Obstacles())
		})
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	patient := merge.Patient{ID: id("s"), UserID: "user", FullName: " Eva Novak", BirthDate: "2011-11-11", MRN: "E-1"}
	for name, test := range map[string]struct {
		target merge.Patient
		want   []merge.Match
	}{
		"nothing":                 {merge.Patient{UserID: "x", FullName: "Else", BirthDate: "1950-01-01", MRN: "1"}, nil},
		"user":                    {merge.Patient{UserID: "user"}, []merge.Match{{Category: merge.Duplicate}}},
		"user and all":            {merge.Patient{UserID: "user", FullName: "Eva Novak", BirthDate: "2011-11-11", MRN: "E-1"}, []merge.Match{{Category: merge.Duplicate}}},
		"name and birth":          {merge.Patient{UserID: "x", FullName: "EVA NOVAK ", BirthDate: "2011-11-11"}, []merge.Match{{Category: merge.LikelyDuplicate}}},
		"MRN and birth":           {merge.Patient{UserID: "x", BirthDate: "2011-11-11", MRN: " e-1 "}, []merge.Match{{Category: merge.LikelyDuplicate}}},
		"name and MRN":            {merge.Patient{UserID: "x", FullName: "eva novak", MRN: "e-1"}, []merge.Match{{Category: merge.LikelyDuplicate}}},
		"MRN":                     {merge.Patient{UserID: "x", MRN: "e-1"}, []merge.Match{{Category: merge.SameMRN}}},
		"name":                    {merge.Patient{UserID: "x", FullName: "eva novak"}, []merge.Match{{Category: merge.SameName}}},
		"birth":                   {merge.Patient{UserID: "x", BirthDate: "2011-11-11"}, nil},
		"blanks inside the name":  {merge.Patient{UserID: "x", FullName: "Eva  Novak"}, nil},
		"birth in another format": {merge.Patient{UserID: "x", FullName: "eva novak", BirthDate: "11/11/2011"}, []merge.Match{{Category: merge.SameName}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := workspace("S"), workspace("T")
			source.Patients, target.Patients = []merge.Patient{patient}, []merge.Patient{test.target}
			plan := planOf(source, target)
			require.ElementsMatch(t, test.want, plan.Matches(&plan.Patients[0]))
			require.Empty(t, plan.Matches(&plan.Patients[1]), "only patients of the source have matches")
		})
	}
	t.Run("empty values are not alike", func(t *testing.T) {
		t.Parallel()
		source, target := workspace("S"), workspace("T")
		source.Patients, target.Patients = []merge.Patient{{ID: id("a"), MRN: " "}}, []merge.Patient{{ID: id("b"), MRN: " "}}
		plan := planOf(source, target)
		require.Empty(t, plan.Matches(&plan.Patients[0]))
		require.Equal(t, merge.Move, plan.Patients[0].Action)
	})
}

func TestMRNRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rules          clinics.MRNSettings
		source, target []string // record numbers of patients
		unique         bool
		want           []merge.Obstacle
	}{
		"no rules":                       {source: []string{"", "1", "1"}, target: []string{"1"}},
		"required and missing":           {rules: clinics.MRNSettings{Required: true}, source: []string{" "}, want: []merge.Obstacle{merge.MRNRequired}},
		"unique and missing":             {rules: clinics.MRNSettings{Unique: true}, source: []string{"", ""}, target: []string{""}},
		"unique and free":                {rules: clinics.MRNSettings{Unique: true}, source: []string{"1"}, target: []string{"2"}, unique: true},
		"unique and taken in the target": {rules: clinics.MRNSettings{Unique: true}, source: []string{"a1 "}, target: []string{"A1"}, unique: true, want: []merge.Obstacle{merge.DuplicateMRNInTarget}},
		"unique and taken in both":       {rules: clinics.MRNSettings{Unique: true}, source: []string{"1", " 1"}, target: []string{"1"}, unique: true, want: []merge.Obstacle{merge.DuplicateMRNInSource}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := workspace("S"), workspace("T")
			source.Clinic.MRNSettings, target.Clinic.MRNSettings = &test.rules, &test.rules
			for i, mrn := range test.source {
				source.Patients = append(source.Patients, merge.Patient{ID: id("s" + string(rune('a'+i))), UserID: "s" + string(rune('a'+i)), MRN: mrn})
			}
			for i, mrn := range test.target {
				target.Patients = append(target.Patients, merge.Patient{ID: id("t" + string(rune('a'+i))), UserID: "t" + string(rune('a'+i)), MRN: mrn})
			}
			plan := planOf(source, target)
			require.Equal(t, test.want, plan.Obstacles())
			require.Equal(t, test.unique, plan.Patients[0].UniqueMRN)
		})
	}
	t.Run("a patient who is united needs no number of its own", func(t *testing.T) {
		t.Parallel()
		rules := &clinics.MRNSettings{Required: true, Unique: true}
		source, target := workspace("S"), workspace("T")
		source.Clinic.MRNSettings, target.Clinic.MRNSettings = rules, rules
		source.Patients, target.Patients = []merge.Patient{{ID: id("1"), UserID: "u"}}, []merge.Patient{{ID: id("2"), UserID: "u", MRN: "1"}}
		plan := planOf(source, target)
		require.Empty(t, plan.Obstacles())
		require.False(t, plan.Patients[0].UniqueMRN)
	})
	t.Run("a number shared with a patient who is united counts", func(t *testing.T) {
		t.Parallel()
		rules := &clinics.MRNSettings{Unique: true}
		source, target := workspace("S"), workspace("T")
		source.Clinic.MRNSettings, target.Clinic.MRNSettings = rules, rules
		source.Patients = []merge.Patient{{ID: id("1"), UserID: "u", MRN: "9"}, {ID: id("3"), UserID: "v", MRN: "9"}}
		target.Patients = []merge.Patient{{ID: id("2"), UserID: "u"}}
		require.Equal(t, []merge.Obstacle{merge.DuplicateMRNInSource}, planOf(source, target).Obstacles())
	})
}

func TestPatientNames(t *testing.T) {
	t.Parallel()
	source := withSites(withTags(workspace("S"), "Zeta", "p ump"), "East", "West")
	target := withSites(withTags(workspace("T"), "Pump", "Alpha"), "East")
	site := func(w, name string) patients.Site { return patients.Site{ID: id(w + name), Name: name} }
	source.Patients = []merge.Patient{
		{ID: id("1"), UserID: "moves", Tags: []bson.ObjectID{id("SZeta"), id("deleted"), id("Sp ump")}, Sites: []patients.Site{site("S", "West"), site("S", "East")}},
		{ID: id("2"), UserID: "both", Tags: []bson.ObjectID{id("Sp ump")}, Sites: []patients.Site{site("S", "East")}},
		{ID: id("3"), UserID: "bare"},
		{ID: id("4"), UserID: "plain"},
	}
	target.Patients = []merge.Patient{
		{ID: id("5"), UserID: "both", Tags: []bson.ObjectID{id("TAlpha"), id("TPump")}, Sites: []patients.Site{site("T", "East")}},
		{ID: id("6"), UserID: "bare"},
	}
	plan := planOf(source, target)
	for i, want := range []merge.PatientNames{
		{
			SourceTags: []string{"Zeta", "p ump"}, AfterTags: []string{"Pump", "Zeta"}, SourceSites: []string{"East", "West"},
			MergedSites: []string{"East (2)", "West"}, AfterSites: []string{"East (2)", "West"},
		},
		{
			SourceTags: []string{"p ump"}, TargetTags: []string{"Alpha", "Pump"}, AfterTags: []string{"Alpha", "Pump"}, SourceSites: []string{"East"},
			MergedSites: []string{"East (2)"}, TargetSites: []string{"East"}, AfterSites: []string{"East", "East (2)"},
		},
		{AfterTags: []string{}, AfterSites: []string{}},
		{},
		{TargetTags: []string{"Alpha", "Pump"}, TargetSites: []string{"East"}},
		{},
	} {
		require.Equal(t, want, plan.Names(&plan.Patients[i]), "patient %d", i)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	list := []merge.Patient{
		{ID: id("0"), UserID: "lonely", FullName: "Lo Nely", BirthDate: "2000-01-01"},
		{ID: id("1"), UserID: "a", FullName: "Ann", BirthDate: "2000-01-01"},
		{ID: id("2"), UserID: "x", FullName: "Xi", MRN: "7"},
		{ID: id("3"), UserID: "b", FullName: "ann ", BirthDate: "2000-01-01", MRN: "5"},
		{ID: id("4"), UserID: "c", FullName: "Other", MRN: "5"},
		{ID: id("5"), UserID: "y", FullName: "xi"},
		{ID: id("6"), UserID: "d", FullName: "Ann"},
	}
	clusters := merge.Clusters(list)
	require.Len(t, clusters, 2)
	var users [][]string
	for _, cluster := range clusters {
		var of []string
		for _, member := range cluster.Members {
			of = append(of, member.Patient.UserID)
		}
		users = append(users, of)
	}
	require.Equal(t, [][]string{{"a", "b", "c", "d"}, {"x", "y"}}, users)
	require.Equal(t, map[merge.Category][]string{merge.LikelyDuplicate: {"b"}, merge.SameName: {"d"}}, clusters[0].Members[0].Alike())
	require.Equal(t, map[merge.Category][]string{merge.LikelyDuplicate: {"a"}, merge.SameMRN: {"c"}, merge.SameName: {"d"}}, clusters[0].Members[1].Alike())
}
