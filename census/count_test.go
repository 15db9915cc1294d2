package census_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"github.com/tidepool-org/clinic/census"
)

var tagIDs = []bson.ObjectID{{1}, {2}, {3}}

func someCensus(t *rapid.T, name string) census.Count {
	number := rapid.IntRange(-3, 3)
	counts := rapid.MapOf(rapid.SampledFrom(tagIDs), number)
	states := rapid.MapOf(rapid.SampledFrom([]string{"connected", "error"}), number)
	count := census.Count{
		Total: number.Draw(t, name+" total"), Demo: number.Draw(t, name+" demo"), Plan: number.Draw(t, name+" plan"),
		Groups:    census.Groups{Tags: counts.Draw(t, name+" tags"), Sites: counts.Draw(t, name+" sites")},
		Providers: rapid.MapOf(rapid.SampledFrom([]string{"dexcom", "twiist"}), states).Draw(t, name+" providers"),
	}
	return count.Plus(census.Count{}) // without entries that are 0
}

func TestCensusesAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := someCensus(t, "a"), someCensus(t, "b"), someCensus(t, "c")
		require.Equal(t, a, a.Plus(b).Minus(b))
		require.Equal(t, a.Plus(b), b.Plus(a))
		require.Equal(t, a.Plus(b).Plus(c), a.Plus(b.Plus(c)))
		require.True(t, a.Minus(a).IsZero())
	})
}

func TestPatientCountTotalsItsStates(t *testing.T) {
	t.Parallel()
	count := census.Count{Total: 4, Demo: 1, Plan: 2, Providers: map[string]map[string]int{
		"dexcom": {"connected": 2, "error": 1}, "twiist": {"pending": 1},
	}}
	require.Equal(t, census.PatientCount{Total: 4, Demo: 1, Plan: 2, Providers: map[string]census.ProviderCount{
		"dexcom": {Total: 3, States: map[string]int{"connected": 2, "error": 1}},
		"twiist": {Total: 1, States: map[string]int{"pending": 1}},
	}}, count.PatientCount())
	require.Nil(t, census.Count{Total: 1}.PatientCount().Providers)
}
