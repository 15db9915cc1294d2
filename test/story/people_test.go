package story_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestSomebodyLooksForAPatient, on the telephone, and does not know how the name is written.
func TestSomebodyLooksForAPatient(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinicID, admin := service.NewClinic(t)
	for name, mrn := range map[string]string{
		"Jo Smith": "1234", "Joanna Smith-Jones": "77", "Mary O’Brien": "123", "Zoe\u0308 Łukasz": "A-9", "Jan van den Berg": "55", "John Doe": "8",
	} {
		service.NewPatient(t, clinicID, name, map[string]any{"mrn": mrn})
	}
	names := func(query string) []string {
		var found []string
		for _, row := range list(t, &service.App, admin, "/v1/clinics/"+clinicID, query).Data {
			found = append(found, row.FullName)
		}
		return found
	}
	for search, want := range map[string][]string{
		"smith jo": {"Jo Smith", "Joanna Smith-Jones"}, "o'brien": {"Mary O’Brien"}, "obrien": {"Mary O’Brien"}, "lukasz zoë": {"Zoe\u0308 Łukasz"},
		"vandenberg": {"Jan van den Berg"}, "123": {"Mary O’Brien", "Jo Smith"}, "a9": {"Zoe\u0308 Łukasz"}, "nobody": nil,
	} {
		require.Equal(t, want, names("searchMode=people&search="+url.QueryEscape(search)), search)
	}
	descending := "&sort=-fullName&sortType=cgm&searchMode=people&search="
	require.Equal(t, []string{"Mary O’Brien", "Jo Smith"}, names(descending+"123"), "the number comes first in any order")
	forward := names("&searchMode=people&search=jo")
	slices.Reverse(forward)
	require.Equal(t, forward, names(descending+"jo"))
	require.Empty(t, names("search="+url.QueryEscape("smith jo")), "without the parameter all is as it was")
	require.Zero(t, service.Stop(t))
}
