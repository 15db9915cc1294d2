package clinics_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/clinics"
)

func TestSameTagName(t *testing.T) {
	t.Parallel()
	require.True(t, clinics.SameTagName("Al pha", "alpha"))
	require.True(t, clinics.SameTagName("ÄRZTE", "ärzte"))
	require.False(t, clinics.SameTagName("alpha", "alpha2"))
	require.False(t, clinics.SameTagName("al\tpha", "alpha"), "only the blank itself is ignored")
}

func TestFreeSiteName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		name  string
		taken []string
		want  string
	}{
		"free":                  {"Chicago", []string{"Boston"}, "Chicago"},
		"taken":                 {"Chicago", []string{"Chicago"}, "Chicago (2)"},
		"taken in another case": {"East", []string{"east"}, "East (2)"},
		"the next one too":      {"Chicago", []string{"Chicago", "chicago (2)"}, "Chicago (3)"},
		"numbered":              {"Chicago (7)", []string{"Chicago (7)"}, "Chicago (8)"},
		"number without blank":  {"Chicago(7)", []string{"Chicago(7)"}, "Chicago(7) (2)"},
		"number is all":         {" (1)", []string{" (1)"}, " (2)"},
		"blanks matter":         {"New  York", []string{"New York"}, "New  York"},
		"a huge number":         {"A (99999999999999999999)", []string{"A (99999999999999999999)"}, "A (99999999999999999999) (2)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := func(name string) bool {
				return slices.ContainsFunc(test.taken, func(other string) bool { return clinics.SameSiteName(name, other) })
			}
			require.Equal(t, test.want, clinics.FreeSiteName(test.name, taken))
		})
	}
}
