package roster_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// The attributes as the interface promises them, spelled without the table that the service uses.
var (
	glucoseRanges = []string{"Low", "VeryLow", "AnyLow", "High", "VeryHigh", "ExtremeHigh", "AnyHigh", "Target"}
	dates         = []string{"lastUploadDate", "lastData", "firstData", "outdatedSince"}
	// Of these there is no flag that says whether the value is known.
	unflagged = []string{"hoursWithData", "daysWithData", "standardDeviation", "coefficientOfVariation", "min", "max", "minDelta", "maxDelta"}
)

func sortableMeasures(kind string) []string {
	names := []string{"averageGlucoseMmol", "totalRecords", "standardDeviation", "coefficientOfVariation", "averageDailyRecords", "min", "max"}
	units := []string{"Percent", "Records"}
	if kind == "cgm" {
		names = append(names, "timeCGMUsePercent", "glucoseManagementIndicator", "hoursWithData", "daysWithData")
		units = append(units, "Minutes")
	}
	for _, r := range glucoseRanges {
		for _, unit := range units {
			names = append(names, "timeIn"+r+unit)
		}
	}
	return names
}

// wantedKeys returns the sort keys of an attribute, as the interface promises them.
func wantedKeys(kind, period, attribute string, descending bool) []key {
	base := "summary." + kind + "Stats.periods." + period + "."
	switch {
	case attribute == "fullName", attribute == "birthDate":
		return []key{{path: attribute, descending: descending}}
	case attribute == "lastReviewed":
		return []key{{path: "reviews.0.time", descending: descending}}
	case slices.Contains(dates, attribute):
		base = "summary." + kind + "Stats.dates."
	case slices.Contains(unflagged, attribute):
		return []key{{path: base + attribute, descending: descending}}
	case strings.HasSuffix(attribute, "Delta"):
		return []key{{path: base + attribute, descending: true, present: true}, {path: base + attribute, descending: descending}}
	}
	flag := base + "has" + strings.ToUpper(attribute[:1]) + attribute[1:]
	return []key{{path: flag, descending: true}, {path: base + attribute, descending: descending}}
}

func TestEverySort(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	periods := []string{"1d", "7d", "14d", "30d"}
	n := 0
	for _, kind := range []string{"cgm", "bgm"} {
		attributes := append([]string{"fullName", "birthDate", "lastReviewed"}, dates...)
		for _, name := range sortableMeasures(kind) {
			attributes = append(attributes, name, name+"Delta")
		}
		for _, attribute := range attributes {
			for _, sign := range []string{"+", "-"} {
				n++
				period := periods[n/2%len(periods)]
				if attribute == "timeInTargetPercent" || n%7 == 0 {
					period = "14d"
				}
				parameters := map[string][]string{"sort": {sign + attribute}, "sortType": {kind}, "period": {period}}
				if period == "14d" {
					delete(parameters, "period") // it is the default
				}
				want := s.sorted(nil, wantedKeys(kind, period, attribute, sign == "-")...)
				got, count := s.list(t, parameters, everyone)
				require.Equal(t, want, got, "%v", parameters)
				require.Equal(t, len(want), count)
			}
		}
	}
	require.Equal(t, 2*(77+53), n)
}

// Sorts that an index serves are read in two parts, and those of filtered lists in another way than those of all patients;
// pages must fit together all the same.
func TestPagesFitTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, sort := range []string{"", "-fullName", "+timeInTargetPercent", "-timeInTargetPercent", "-lastData", "+lastReviewed", "-timeInLowPercentDelta"} {
		for _, filter := range []map[string][]string{{}, {"search": {"b"}}, {"tags": {tagA.Hex()}}} {
			filter["sortType"] = []string{"cgm"}
			if sort != "" {
				filter["sort"] = []string{sort}
			}
			want, count := s.list(t, filter, everyone)
			got := []string{}
			for offset := 0; offset < count+10; offset += 5 {
				page, n := s.list(t, filter, store.Page{Offset: offset, Limit: 5})
				require.Equal(t, count, n)
				got = append(got, page...)
			}
			require.Equal(t, want, got, "%v", filter)
		}
	}
}

func TestAClinicThatDoesNotExistHasNoPatients(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	query, err := roster.ParseQuery(nil, everyone)
	require.NoError(t, err)
	list, err := s.lists.List(t.Context(), bson.NewObjectID(), query)
	require.NoError(t, err)
	require.Zero(t, list.Count)
	require.Zero(t, list.Total)
	for _, err := range list.Rows {
		require.Fail(t, "a patient of no clinic", "%v", err)
	}
}
