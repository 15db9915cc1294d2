package roster_test

import (
	"cmp"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// anyPage is a page as a caller asks for it, and what it means.
type anyPage struct {
	parameters map[string][]string
	page       store.Page
	conditions bson.D
	person     string // a search for persons, "" for none
	keys       []key  // none stands for the order of names
	direction  int    // of names
}

// storedPatients are the patients of the clinic as they are stored at a moment.
type storedPatients struct {
	stage   *stage
	records *mongo.Collection
	byName  map[int][]string // user ids, as the database orders them
}

func (s *pagesStage) read(t *testing.T) *storedPatients {
	t.Helper()
	stored := &storedPatients{records: s.records(), byName: map[int][]string{}, stage: &stage{clinicID: s.clinicID}}
	stored.stage.records = testkit.Documents(t, s.store, patients.CollectionName, bson.D{{Key: "clinicId", Value: s.clinicID}})
	for _, direction := range []int{1, -1} {
		stored.byName[direction] = stored.users(t, nil, options.Find().SetCollation(store.IgnoreCaseAndAccents()).
			SetSort(bson.D{{Key: "fullName", Value: direction}, {Key: "_id", Value: 1}}))
	}
	return stored
}

// users returns whom the conditions match, by the database.
func (s *storedPatients) users(t *testing.T, conditions bson.D, o *options.FindOptionsBuilder) []string {
	t.Helper()
	filter := append(bson.D{{Key: "clinicId", Value: s.stage.clinicID}}, conditions...)
	cursor, err := s.records.Find(t.Context(), filter, o.SetProjection(bson.D{{Key: "userId", Value: 1}}))
	require.NoError(t, err)
	var found []bson.M
	require.NoError(t, cursor.All(t.Context(), &found))
	ids := make([]string, 0, len(found))
	for _, record := range found {
		ids = append(ids, record["userId"].(string))
	}
	return ids
}

// list returns what a page must show.
func (s *storedPatients) list(t *testing.T, page anyPage) listing {
	t.Helper()
	matching := map[string]bool{}
	for _, id := range s.users(t, page.conditions, options.Find()) {
		matching[id] = true
	}
	exact := s.keepPeople(page, matching)
	ordered := s.byName[page.direction]
	if page.keys != nil {
		ordered = s.stage.sorted(nil, page.keys...)
	}
	found := listing{count: len(matching), total: len(s.stage.records)}
	place := 0
	ordered = slices.Clone(ordered)
	slices.SortStableFunc(ordered, func(a, b string) int { return cmp.Compare(exact[b], exact[a]) })
	for _, id := range ordered {
		if !matching[id] {
			continue
		}
		if place >= page.page.Offset && len(found.users) < page.page.Limit {
			found.users = append(found.users, id)
		}
		place++
	}
	return found
}

func (s *pagesStage) anyPage(random *rand.Rand) anyPage {
	p := anyPage{parameters: map[string][]string{}, direction: 1}
	p.page = store.Page{Offset: choose(random, 0, 0, 1, 7, 30), Limit: choose(random, 1, 5, 10, 1000)}
	if random.IntN(12) == 0 {
		p.page.Offset = 205 // where pages of all patients are no longer read from an index
	}
	period := choose(random, "1d", "7d", "14d", "30d")
	p.set("period", period)
	if random.IntN(5) > 0 {
		p.sortBy(random, period)
	}
	for _, filter := range []func(*rand.Rand, string){p.search, p.searchPeople, p.group, p.ranges, p.compareValue, p.since, p.reviewed} {
		if random.IntN(4) == 0 {
			filter(random, period)
		}
	}
	return p
}

func (p *anyPage) set(name, value string) { p.parameters[name] = []string{value} }

func (p *anyPage) where(condition bson.D) {
	if p.conditions == nil {
		p.conditions = bson.D{{Key: "$and", Value: bson.A{}}}
	}
	p.conditions[0].Value = append(p.conditions[0].Value.(bson.A), condition)
}

func (p *anyPage) sortBy(random *rand.Rand, period string) {
	kind := choose(random, "cgm", "bgm")
	attributes := append([]string{"fullName", "birthDate", "lastReviewed"}, dates...)
	for _, name := range sortableMeasures(kind) {
		attributes = append(attributes, name, name+"Delta")
	}
	attribute := choose(random, attributes...)
	if random.IntN(4) == 0 {
		attribute = choose(random, "fullName", "lastData", "timeInTargetPercent")
		if kind == "bgm" && attribute == "timeInTargetPercent" {
			attribute = "averageGlucoseMmol"
		}
	}
	sign := choose(random, "+", "-")
	p.set("sort", sign+attribute)
	p.set("sortType", kind)
	if attribute == "fullName" {
		p.direction = map[string]int{"+": 1, "-": -1}[sign]
		return
	}
	p.keys = wantedKeys(kind, period, attribute, sign == "-")
}

func (p *anyPage) search(random *rand.Rand, _ string) {
	text := choose(random, "a", "B", "ö", "Ö", "é", "ÇEL", "ſ", "K", "s.", "M.1", "example.COM", "2001", "+", "zoë", "Łó", "ΣΑΣ", "^a", "elan 1", "ß")
	p.set("search", text)
	var anywhere bson.A
	for _, path := range []string{"fullName", "email", "mrn", "birthDate"} {
		anywhere = append(anywhere, bson.D{{Key: path, Value: bson.Regex{Pattern: regexp.QuoteMeta(text), Options: "i"}}})
	}
	p.where(bson.D{{Key: "$or", Value: anywhere}})
}

func (p *anyPage) searchPeople(random *rand.Rand, _ string) {
	p.person = choose(random, peopleTexts...)
	if random.IntN(4) == 0 {
		p.person += " " + choose(random, peopleTexts...)
	}
	p.set("search", p.person)
	p.set("searchMode", "people")
	p.conditions = nil // a search for a text, which came before, is none any more
}

func (p *anyPage) group(random *rand.Rand, _ string) {
	parameter, path, operator := "tags", "tags", "$all"
	ids := choose(random, []bson.ObjectID{tagA}, []bson.ObjectID{tagA, tagB}, nil)
	if random.IntN(2) == 0 {
		parameter, path, operator = "sites", "sites.id", "$in"
		ids = choose(random, []bson.ObjectID{siteA}, []bson.ObjectID{siteB, siteA}, nil)
	}
	if ids == nil {
		p.set(parameter, "_")
		p.where(bson.D{{Key: parameter, Value: bson.D{{Key: "$in", Value: bson.A{nil, bson.A{}}}}}})
		return
	}
	var hexes []string
	for _, id := range ids {
		hexes = append(hexes, id.Hex())
	}
	p.set(parameter, strings.Join(hexes, ","))
	if match := choose(random, "", "all", "any"); match != "" {
		p.set(parameter+"Match", match)
		operator = map[string]string{"all": "$all", "any": "$in"}[match]
	}
	if operator == "$in" {
		p.where(bson.D{{Key: path, Value: bson.D{{Key: "$in", Value: ids}}}})
		return
	}
	for _, id := range ids { // one engine does not look for $all in documents of a list
		p.where(bson.D{{Key: path, Value: id}})
	}
}

func (p *anyPage) ranges(*rand.Rand, string) {
	p.set("omitNonStandardRanges", "true")
	p.where(bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "glycemicRanges.preset", Value: "adaStandard"}}, bson.D{{Key: "glycemicRanges", Value: bson.D{{Key: "$exists", Value: false}}}},
	}}})
}

func (p *anyPage) compareValue(random *rand.Rand, period string) {
	kind := choose(random, "cgm", "bgm")
	names := []string{"timeInTargetPercent", "timeInLowPercent", "averageGlucoseMmolDelta", "totalRecords", "timeInAnyHighRecords", "min"}
	if kind == "cgm" {
		names = append(names, "timeCGMUseMinutes", "standardDeviation", "hoursWithDataDelta")
	}
	name := choose(random, names...)
	comparator, number := choose(random, "<", "<=", ">", ">="), choose(random, 0.5, 3, -1.5, 0)
	p.set(kind+"."+name, comparator+strconv.FormatFloat(number, 'f', -1, 64))
	operator := map[string]string{"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}[comparator]
	p.where(bson.D{{Key: "summary." + kind + "Stats.periods." + period + "." + name, Value: bson.D{{Key: operator, Value: number}}}})
}

func (p *anyPage) since(random *rand.Rand, _ string) {
	kind, at := choose(random, "cgm", "bgm"), someTime.Add(time.Duration(random.IntN(3))*time.Hour)
	suffix, operator := "From", "$gte"
	if random.IntN(2) == 0 {
		suffix, operator = "To", "$lt"
	}
	p.set(kind+".lastData"+suffix, at.Format(time.RFC3339))
	p.where(bson.D{{Key: "summary." + kind + "Stats.dates.lastData", Value: bson.D{{Key: operator, Value: at}}}})
}

func (p *anyPage) reviewed(random *rand.Rand, _ string) {
	at := someTime.Add(time.Duration(cmp.Compare(random.IntN(3), 1)) * time.Hour)
	p.set("lastReviewed", at.Format(time.RFC3339))
	p.where(bson.D{{Key: "reviews.0.time", Value: bson.D{{Key: "$lte", Value: at}}}})
}
