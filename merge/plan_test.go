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
