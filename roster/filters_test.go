package roster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/roster"
)

// met returns a condition on the number or time at a path.
func met(path, comparator string, operand float64) func(bson.M) bool {
	return func(record bson.M) bool {
		value := at(record, path)
		if value == nil {
			return false
		}
		n := number(value)
		return map[string]bool{"<": n < operand, "<=": n <= operand, ">": n > operand, ">=": n >= operand}[comparator]
	}
}

func TestEveryNumericFilter(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	comparators, periods := []string{"<", "<=", ">", ">="}, []string{"1d", "7d", "14d", "30d"}
	n := 0
	for _, kind := range []string{"cgm", "bgm"} {
		names := sortableMeasures(kind)
		if kind == "cgm" {
			names = append(names, "timeCGMUseMinutes", "timeCGMUseRecords")
		}
		for _, name := range names {
			if name == "timeInExtremeHighRecords" || kind == "bgm" && (name == "standardDeviation" || name == "coefficientOfVariation") {
				continue // not among the parameters
			}
			for _, name := range []string{name, name + "Delta"} {
				n++
				comparator, period := comparators[n%4], periods[n/4%4]
				operand := []string{"0.5", "+.25", "-1.5", "0.", "1"}[n%5]
				value := []float64{0.5, 0.25, -1.5, 0, 1}[n%5]
				if strings.HasSuffix(strings.TrimSuffix(name, "Delta"), "Records") && name[:3] != "ave" || strings.HasSuffix(name, "Minutes") || strings.Contains(name, "WithData") {
					operand, value = []string{"3", "96", "-2", "+50"}[n%4], []float64{3, 96, -2, 50}[n%4]
				}
				parameters := map[string][]string{kind + "." + name: {comparator + operand}, "period": {period}}
				want := s.sorted(met("summary."+kind+"Stats.periods."+period+"."+name, comparator, value), key{path: "fullName"})
				got, count := s.list(t, parameters, everyone)
				require.Equal(t, want, got, "%v", parameters)
				require.Equal(t, len(want), count)
			}
		}
	}
	require.Equal(t, 55+57, n)
}

func TestOtherFilters(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	stamp := func(hours int) (string, float64) {
		at := someTime.Add(time.Duration(hours) * time.Hour)
		return at.In(time.FixedZone("", 5*3600)).Format(time.RFC3339), float64(at.UnixMilli())
	}
	second, secondValue := stamp(1)
	cgmLast, bgmLast := "summary.cgmStats.dates.lastData", "summary.bgmStats.dates.lastData"
	all := func(conditions ...func(bson.M) bool) func(bson.M) bool {
		return func(record bson.M) bool {
			return !slices.ContainsFunc(conditions, func(c func(bson.M) bool) bool { return !c(record) })
		}
	}
	has := func(field string, id bson.ObjectID) func(bson.M) bool {
		return func(record bson.M) bool {
			list, _ := record[field].(bson.A)
			return slices.ContainsFunc(list, func(v any) bool { return v == any(id) || at(v, "id") == any(id) })
		}
	}
	none := func(field string) func(bson.M) bool {
		return func(record bson.M) bool { list, _ := record[field].(bson.A); return len(list) == 0 }
	}
	contains := func(text string) func(bson.M) bool {
		return func(record bson.M) bool {
			return slices.ContainsFunc([]string{"fullName", "email", "mrn", "birthDate"}, func(field string) bool {
				value, _ := record[field].(string)
				return strings.Contains(strings.ToLower(value), strings.ToLower(text))
			})
		}
	}
	standard := func(record bson.M) bool {
		ranges, ok := record["glycemicRanges"]
		return !ok || at(ranges, "preset") == any("adaStandard")
	}
	nobody := func(bson.M) bool { return false }

	tests := []struct {
		name       string
		parameters map[string][]string
		want       func(bson.M) bool
	}{
		{"from is inclusive", map[string][]string{"cgm.lastDataFrom": {second}}, met(cgmLast, ">=", secondValue)},
		{"to is exclusive", map[string][]string{"cgm.lastDataTo": {second}}, met(cgmLast, "<", secondValue)},
		{"between", map[string][]string{"bgm.lastDataFrom": {someTime.Format(time.RFC3339)}, "bgm.lastDataTo": {second}}, met(bgmLast, "<", secondValue)},
		{"both kinds", map[string][]string{"cgm.lastDataFrom": {second}, "bgm.lastDataFrom": {second}}, all(met(cgmLast, ">=", secondValue), met(bgmLast, ">=", secondValue))},
		{"zero time is none", map[string][]string{"cgm.lastDataFrom": {"0001-01-01T00:00:00Z"}, "bgm.lastDataTo": {"0001-01-01T00:00:00Z"}}, func(bson.M) bool { return true }},
		{"reviewed until then", map[string][]string{"lastReviewed": {someTime.Format(time.RFC3339)}}, met("reviews.0.time", "<=", float64(someTime.UnixMilli()))},
		{"reviewed before all", map[string][]string{"lastReviewed": {"2020-01-01T00:00:00Z"}}, nobody},
		{"one tag", map[string][]string{"tags": {tagA.Hex()}}, has("tags", tagA)},
		{"all tags", map[string][]string{"tags": {tagA.Hex() + "," + strings.ToUpper(tagB.Hex())}}, all(has("tags", tagA), has("tags", tagB))},
		{"what is no id is dropped", map[string][]string{"tags": {"x, " + tagB.Hex() + "," + tagA.Hex()}}, has("tags", tagA)},
		{"unknown tag", map[string][]string{"tags": {siteA.Hex()}}, nobody},
		{"no tags", map[string][]string{"tags": {"_"}}, none("tags")},
		{"one site", map[string][]string{"sites": {siteB.Hex()}}, has("sites", siteB)},
		{"any site", map[string][]string{"sites": {siteB.Hex() + "," + siteA.Hex()}}, has("sites", siteA)},
		{"no sites", map[string][]string{"sites": {"_"}}, none("sites")},
		{"neither tags nor sites", map[string][]string{"sites": {"_"}, "tags": {"_"}}, all(none("tags"), none("sites"))},
		{"standard ranges", map[string][]string{"omitNonStandardRanges": {"true"}}, standard},
		{"any ranges", map[string][]string{"omitNonStandardRanges": {"false"}}, func(bson.M) bool { return true }},
		{"search in names", map[string][]string{"search": {"DAM"}}, contains("dam")},
		{"search with an accent", map[string][]string{"search": {"ád"}}, contains("ád")},
		{"search in addresses, taken literally", map[string][]string{"search": {"1.x+Y@e"}}, contains("1.x+y@e")},
		{"search in numbers", map[string][]string{"search": {"m.2"}}, contains("M.2")},
		{"search for a day", map[string][]string{"search": {"02-03"}}, contains("02-03")},
		{"search without result", map[string][]string{"search": {".*"}}, nobody},
		{"search for a backslash", map[string][]string{"search": {`\Q[`}}, nobody},
		{"search does not look at ids", map[string][]string{"search": {"0000000001"}}, nobody},
		{"search is not trimmed", map[string][]string{"search": {" adam"}}, nobody},
		{"all together", map[string][]string{
			"search": {"a"}, "tags": {tagA.Hex()}, "sites": {siteA.Hex()}, "omitNonStandardRanges": {"true"},
			"cgm.timeInTargetPercent": {"<0.7"}, "cgm.min": {">=-1.5"}, "period": {"7d"}, "cgm.foo": {"<1"},
		}, all(contains("a"), has("tags", tagA), has("sites", siteA), standard,
			met("summary.cgmStats.periods.7d.timeInTargetPercent", "<", 0.7), met("summary.cgmStats.periods.7d.min", ">=", -1.5))},
		{"two values of one field of either kind", map[string][]string{"cgm.max": {">0.3"}, "bgm.max": {"<0.6"}},
			all(met("summary.cgmStats.periods.14d.max", ">", 0.3), met("summary.bgmStats.periods.14d.max", "<", 0.6))},
		{"a number beyond all", map[string][]string{"cgm.totalRecords": {"<" + strings.Repeat("9", 400)}}, met("summary.cgmStats.periods.14d.totalRecords", "<", 1e300)},
	}
	for _, test := range tests {
		for _, sort := range []string{"", "-birthDate"} {
			parameters := map[string][]string{}
			order := key{path: "fullName"}
			for name, value := range test.parameters {
				parameters[name] = value
			}
			if sort != "" {
				parameters["sort"], parameters["sortType"], order = []string{sort}, []string{"bgm"}, key{path: "birthDate", descending: true}
			}
			want := s.sorted(test.want, order)
			got, count := s.list(t, parameters, everyone)
			require.Equal(t, want, got, "%s, sorted %q", test.name, sort)
			require.Equal(t, len(want), count, test.name)
		}
	}
}

func TestParametersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		parameters map[string][]string
		text       string // "" means any
	}{
		{map[string][]string{"sort": {"+lastData"}}, "bad request: invalid sort parameter, missing type"},
		{map[string][]string{"sort": {"x-fullName"}, "sortType": {"cgm"}}, "bad request: invalid sort parameter, missing sort order"},
		{map[string][]string{"sort": {"+email"}, "sortType": {"cgm"}}, "bad request: invalid sort parameter, invalid sort attribute"},
		{map[string][]string{"sort": {"+glucoseManagementIndicator"}, "sortType": {"bgm"}}, "bad request: invalid sort parameter, invalid sort attribute"},
		{map[string][]string{"sort": {"+timeCGMUseRecords"}, "sortType": {"cgm"}}, "bad request: invalid sort parameter, invalid sort attribute"},
		{map[string][]string{"sort": {"-"}, "sortType": {"cgm"}}, "bad request: invalid sort parameter, invalid sort attribute"},
		{map[string][]string{"search": {"a\x00b"}}, ""},
		{map[string][]string{"search": {"a\xffb"}}, ""},
		{map[string][]string{"search": {strings.Repeat("a", 40_000)}}, ""},
		{map[string][]string{"cgm.min": {"=1"}}, ""},
		{map[string][]string{"cgm.min": {"<x"}}, ""},
		{map[string][]string{"cgm.lastDataFrom": {"yesterday"}}, ""},
		{map[string][]string{"lastReviewed": {"2020-01-01"}}, ""},
		{map[string][]string{"omitNonStandardRanges": {"maybe"}}, ""},
		{map[string][]string{"tagsMatch": {"some"}}, ""},
		{map[string][]string{"sites": {"_"}, "sitesMatch": {""}}, ""},
	}
	for _, test := range tests {
		_, err := roster.ParseQuery(test.parameters, everyone)
		require.True(t, errs.Is(err, errs.BadRequest), fmt.Sprint(test.parameters))
		if test.text != "" {
			require.EqualError(t, err, test.text)
		}
	}
}

func TestTheLongestSearchTextCanBeSearchedFor(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it refuses patterns of more than 1,000 characters")
	s := newStage(t)
	got, _ := s.list(t, map[string][]string{"search": {strings.Repeat("é", 8000)}}, everyone)
	require.Empty(t, got)
}

// matchesAny reports whether a text of the record contains this one, without regard to case.
func matchesAny(record bson.M, text string) bool {
	for _, path := range []string{"fullName", "email", "mrn", "birthDate"} {
		if s, ok := record[path].(string); ok && strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}
