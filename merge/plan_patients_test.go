package merge_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
)

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
