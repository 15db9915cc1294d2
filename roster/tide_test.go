package roster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// tideStage is a clinic whose patients have names that the tests expect back.
type tideStage struct {
	store    *store.Database
	lists    *roster.Service
	clinicID bson.ObjectID
	cutoff   time.Time
	stored   int
}

func newTideStage(t *testing.T) *tideStage {
	t.Helper()
	d := testkit.Database(t)
	return &tideStage{store: d, lists: roster.NewService(d), clinicID: bson.NewObjectID(), cutoff: store.Now().Add(-14 * 24 * time.Hour)}
}

// add stores a patient with fresh data, the tag A and these values in the period of 14 days. Patients that are added later
// have greater ids.
func (s *tideStage) add(t *testing.T, name string, statistics bson.M, change func(record bson.M)) {
	t.Helper()
	s.stored++
	record := bson.M{
		"_id": bson.ObjectID{11: byte(s.stored), 10: byte(s.stored >> 8)}, "clinicId": s.clinicID, "userId": name, "fullName": name, "tags": bson.A{tagA},
		"summary": bson.M{"cgmStats": bson.M{
			"dates":   bson.M{"lastData": store.Now().Add(-time.Hour)},
			"periods": bson.M{"14d": statistics, "7d": bson.M{"timeInVeryLowPercent": 0.9}},
		}},
	}
	if change != nil {
		change(record)
	}
	_, err := s.store.Collection(patients.CollectionName).InsertOne(t.Context(), record)
	require.NoError(t, err)
}

// report returns the names in each category.
func (s *tideStage) report(t *testing.T, change func(*roster.TideQuery)) map[string][]string {
	t.Helper()
	query := roster.TideQuery{ClinicID: s.clinicID, Period: "14d", Tags: allOf(tagA), Cutoff: s.cutoff, ExcludeNoData: true}
	if change != nil {
		change(&query)
	}
	report, err := s.lists.Tide(t.Context(), query)
	require.NoError(t, err)
	return userIDs(report)
}

func userIDs(report roster.TideReport) map[string][]string {
	ids := map[string][]string{}
	for category, list := range report {
		ids[category] = []string{}
		for _, patient := range list {
			ids[category] = append(ids[category], patient.UserID)
		}
	}
	return ids
}

func allOf(ids ...bson.ObjectID) *roster.Groups { return &roster.Groups{IDs: ids, All: true} }

func anyOf(ids ...bson.ObjectID) *roster.Groups { return &roster.Groups{IDs: ids} }

func only(categories ...string) func(*roster.TideQuery) {
	return func(q *roster.TideQuery) { q.Categories = categories }
}

func TestTideCategoriesHaveTheirPatientsInOrder(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	for _, field := range []string{"timeInVeryLowPercent", "timeInAnyLowPercent", "timeInExtremeHighPercent", "timeInVeryHighPercent", "timeInAnyHighPercent",
		"timeInTargetPercentDelta", "timeCGMUsePercent", "timeInTargetPercent"} {
		for i, value := range []float64{0.3, 0.6, -0.2, 0.3, 0.01, 0.04, 0.05, 0.25, 0.7, -0.15, -0.9} {
			s.add(t, fmt.Sprintf("%s %d: %g", field, i, value), bson.M{field: value}, nil)
		}
		s.add(t, field+" null", bson.M{field: nil}, nil)
	}
	expected := map[string]struct {
		field string
		names []string
	}{
		"timeInVeryLowPercent":      {"timeInVeryLowPercent", []string{"8: 0.7", "1: 0.6", "0: 0.3", "3: 0.3", "7: 0.25", "6: 0.05", "5: 0.04"}},
		"timeInAnyLowPercent":       {"timeInAnyLowPercent", []string{"8: 0.7", "1: 0.6", "0: 0.3", "3: 0.3", "7: 0.25", "6: 0.05"}},
		"timeInExtremeHighPercent":  {"timeInExtremeHighPercent", []string{"8: 0.7", "1: 0.6", "0: 0.3", "3: 0.3", "7: 0.25", "6: 0.05", "5: 0.04", "4: 0.01"}},
		"timeInVeryHighPercent":     {"timeInVeryHighPercent", []string{"8: 0.7", "1: 0.6", "0: 0.3", "3: 0.3", "7: 0.25"}},
		"timeInAnyHighPercent":      {"timeInAnyHighPercent", []string{"8: 0.7", "1: 0.6", "0: 0.3", "3: 0.3"}},
		"dropInTimeInTargetPercent": {"timeInTargetPercentDelta", []string{"10: -0.9", "2: -0.2"}},
		"timeCGMUsePercent":         {"timeCGMUsePercent", []string{"10: -0.9", "2: -0.2", "9: -0.15", "4: 0.01", "5: 0.04", "6: 0.05", "7: 0.25", "0: 0.3", "3: 0.3", "1: 0.6"}},
		"timeInTargetPercent":       {"timeInTargetPercent", []string{"10: -0.9", "2: -0.2", "9: -0.15", "4: 0.01", "5: 0.04", "6: 0.05", "7: 0.25", "0: 0.3", "3: 0.3", "1: 0.6"}},
	}
	for category, want := range expected {
		names := []string{}
		for _, name := range want.names {
			names = append(names, want.field+" "+name)
		}
		require.Equal(t, map[string][]string{category: names}, s.report(t, only(category)), category)
	}
}

func TestPatientsOnTheTidesBoundariesMeetTheirTargets(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	boundary := func(change bson.M) bson.M {
		values := bson.M{"timeInVeryLowPercent": 0.01, "timeInAnyLowPercent": 0.04, "timeInVeryHighPercent": 0.05, "timeInAnyHighPercent": 0.25,
			"timeInTargetPercent": 0.7, "timeCGMUsePercent": 0.7, "timeInTargetPercentDelta": -0.15}
		for name, value := range change {
			values[name] = value
		}
		return values
	}
	s.add(t, "boundary", boundary(nil), nil)
	s.add(t, "extreme", boundary(bson.M{"timeInExtremeHighPercent": 0.01}), nil)
	s.add(t, "less extreme", boundary(bson.M{"timeInExtremeHighPercent": 0.009}), nil)
	s.add(t, "better", bson.M{"timeInTargetPercent": 0.8, "timeCGMUsePercent": 0.9}, nil)
	s.add(t, "use unknown", bson.M{"timeInTargetPercent": 0.8}, nil)
	require.Equal(t, map[string][]string{
		"timeInVeryLowPercent": {}, "timeInAnyLowPercent": {}, "timeInVeryHighPercent": {}, "timeInAnyHighPercent": {}, "dropInTimeInTargetPercent": {},
		"timeCGMUsePercent": {}, "meetingTargets": {"better", "boundary", "less extreme"},
	}, s.report(t, nil))
}

func TestTideListsAPatientUnderTheFirstCategoryThatFits(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	s.add(t, "both", bson.M{"timeInVeryLowPercent": 0.5, "timeInAnyHighPercent": 0.5}, nil)
	s.add(t, "high", bson.M{"timeInAnyHighPercent": 0.4}, nil)
	s.add(t, "both tags", bson.M{"timeInAnyHighPercent": 0.3}, func(record bson.M) { record["tags"] = bson.A{tagB, tagA} })
	s.add(t, "other tag", bson.M{"timeInAnyHighPercent": 0.9}, func(record bson.M) { record["tags"] = bson.A{tagB} })
	s.add(t, "old data", bson.M{"timeInAnyHighPercent": 0.9}, func(record bson.M) {
		record["summary"].(bson.M)["cgmStats"].(bson.M)["dates"] = bson.M{"lastData": s.cutoff.Add(-time.Millisecond)}
	})
	s.add(t, "data at the cut-off", bson.M{"timeInAnyHighPercent": 0.35}, func(record bson.M) {
		record["summary"].(bson.M)["cgmStats"].(bson.M)["dates"] = bson.M{"lastData": s.cutoff}
	})
	s.add(t, "other clinic", bson.M{"timeInAnyHighPercent": 0.9}, func(record bson.M) { record["clinicId"] = bson.NewObjectID() })

	require.Equal(t, map[string][]string{"timeInVeryLowPercent": {"both"}, "timeInAnyHighPercent": {"high", "data at the cut-off", "both tags"}},
		s.report(t, only("timeInVeryLowPercent", "timeInAnyHighPercent")))
	require.Equal(t, map[string][]string{"timeInVeryLowPercent": {}, "timeInAnyHighPercent": {"both", "high", "data at the cut-off", "both tags"}},
		s.report(t, only("timeInAnyHighPercent", "timeInVeryLowPercent", "timeInAnyHighPercent")))
	require.Equal(t, map[string][]string{"timeInAnyHighPercent": {"both tags"}}, s.report(t, func(q *roster.TideQuery) {
		q.Categories, q.Tags = []string{"timeInAnyHighPercent"}, allOf(tagA, tagB, tagA)
	}))
	require.Equal(t, map[string][]string{"timeInVeryLowPercent": {"both", "high", "both tags", "data at the cut-off"}}, s.report(t, func(q *roster.TideQuery) {
		q.Categories, q.Period = []string{"timeInVeryLowPercent"}, "7d"
	}))
	require.Equal(t, map[string][]string{"timeCGMUsePercent": {}}, s.report(t, func(q *roster.TideQuery) {
		q.Categories, q.ClinicID = []string{"timeCGMUsePercent"}, bson.NewObjectID()
	}))
}

// TestTideBySites: sites stand beside tags or for them, and without sites only those who have none are reported.
func TestTideBySites(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	at := func(tags, sites bson.A) func(bson.M) {
		return func(record bson.M) { record["tags"], record["sites"] = tags, sites }
	}
	a, b := bson.M{"id": siteA, "name": "A"}, bson.M{"id": siteB, "name": "B"}
	low := bson.M{"timeInVeryLowPercent": 0.5}
	s.add(t, "A", low, at(bson.A{tagA}, bson.A{a}))
	s.add(t, "B", low, at(bson.A{tagB}, bson.A{b}))
	s.add(t, "A and B", low, at(bson.A{tagA, tagB}, bson.A{a, b}))
	s.add(t, "none", low, at(nil, nil))
	s.add(t, "emptied", low, at(bson.A{tagA}, bson.A{}))
	for name, test := range map[string]struct {
		tags, sites *roster.Groups
		want        []string
	}{
		"any of the sites":       {nil, anyOf(siteB, siteA), []string{"A", "B", "A and B"}},
		"one site":               {nil, anyOf(siteB), []string{"B", "A and B"}},
		"all of the sites":       {nil, allOf(siteA, siteB), []string{"A and B"}},
		"without a site":         {nil, anyOf(), []string{"none", "emptied"}},
		"a tag without a site":   {allOf(tagA), anyOf(), []string{"emptied"}},
		"a tag at a site":        {allOf(tagA), anyOf(siteA), []string{"A", "A and B"}},
		"any of the tags":        {anyOf(tagA, tagB), nil, []string{"A", "B", "A and B", "emptied"}},
		"any tag, all the sites": {anyOf(tagA, tagB), allOf(siteA, siteB), []string{"A and B"}},
	} {
		query := roster.TideQuery{ClinicID: s.clinicID, Period: "14d", Tags: test.tags, Sites: test.sites, Cutoff: s.cutoff, Categories: []string{"timeInVeryLowPercent"}}
		want := map[string][]string{"timeInVeryLowPercent": test.want, roster.NoData: {}}
		for way, report := range map[string]func(context.Context, roster.TideQuery) (roster.TideReport, error){"table": s.lists.Tide, "query": s.lists.TideByQuery} {
			found, err := report(t.Context(), query)
			require.NoError(t, err)
			require.Equal(t, want, userIDs(found), "%s by %s", name, way)
		}
	}
}

func TestTideListsAtMostAHundredPatients(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	for i := range 130 {
		s.add(t, fmt.Sprintf("%03d", i), bson.M{"timeInVeryLowPercent": 0.02 + float64(i)/1000, "timeInAnyLowPercent": 0.9}, nil)
	}
	report := s.report(t, func(q *roster.TideQuery) { q.ExcludeNoData = false })
	require.Len(t, report, 2)
	require.Empty(t, report[roster.NoData])
	require.Len(t, report["timeInVeryLowPercent"], 100)
	require.Equal(t, "129", report["timeInVeryLowPercent"][0])
	require.Equal(t, "030", report["timeInVeryLowPercent"][99])

	for i := range 90 {
		s.add(t, fmt.Sprintf("high %03d", i), bson.M{"timeInAnyHighPercent": 0.3}, nil)
	}
	report = s.report(t, only("timeInAnyHighPercent", "timeInVeryLowPercent", "timeCGMUsePercent"))
	require.Len(t, report, 2)
	require.Len(t, report["timeInAnyHighPercent"], 90)
	require.Equal(t, "high 000", report["timeInAnyHighPercent"][0], "ties are in the order of records")
	require.Len(t, report["timeInVeryLowPercent"], 10)
}

func TestTideNoData(t *testing.T) {
	t.Parallel()
	s := newTideStage(t)
	last := func(at any) func(bson.M) {
		return func(record bson.M) {
			record["summary"].(bson.M)["cgmStats"].(bson.M)["dates"] = bson.M{"lastData": at}
		}
	}
	dexcom := func(at time.Time, states ...string) func(bson.M) {
		return func(record bson.M) {
			last(at)(record)
			sources := bson.A{bson.M{"providerName": "twiist", "state": "error"}}
			for _, state := range states {
				sources = append(sources, bson.M{"providerName": "dexcom", "state": state})
			}
			record["dataSources"] = sources
		}
	}
	now := store.Now()
	s.add(t, "old", bson.M{}, last(s.cutoff.Add(-time.Hour)))
	s.add(t, "older", bson.M{}, last(s.cutoff.Add(-2*time.Hour)))
	s.add(t, "null", bson.M{}, last(nil))
	s.add(t, "no summary", nil, func(record bson.M) { delete(record, "summary") })
	s.add(t, "recent", bson.M{}, last(now.Add(-9*time.Hour)))
	s.add(t, "recent, broken", bson.M{"timeInVeryLowPercent": 0.5}, dexcom(now.Add(-9*time.Hour), "connected", "error"))
	s.add(t, "recent, connected", bson.M{}, dexcom(now.Add(-10*time.Hour), "connected"))
	s.add(t, "fresh, broken", bson.M{}, dexcom(now.Add(-7*time.Hour), "error"))
	s.add(t, "other tag", bson.M{}, func(record bson.M) { record["tags"] = bson.A{tagB}; delete(record, "summary") })

	with := func(q *roster.TideQuery) {
		q.ExcludeNoData, q.Categories = false, []string{"timeInVeryLowPercent"}
	}
	report := s.report(t, with)
	require.Equal(t, []string{"recent, broken"}, report["timeInVeryLowPercent"], "a patient may be listed twice")
	require.ElementsMatch(t, []string{"null", "no summary"}, report[roster.NoData][:2])
	require.Equal(t, []string{"older", "old", "recent, broken"}, report[roster.NoData][2:])
	require.NotContains(t, s.report(t, only("timeInVeryLowPercent")), roster.NoData)

	for i := range 60 {
		s.add(t, fmt.Sprint(i), bson.M{}, last(s.cutoff.Add(-time.Duration(i+100)*time.Hour)))
	}
	listed := s.report(t, with)[roster.NoData]
	require.Len(t, listed, 50)
	require.Equal(t, []string{"59", "58"}, listed[2:4])
}
