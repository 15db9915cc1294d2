package roster_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// stage is a clinic with patients who have many values in common, and some none at all.
type stage struct {
	store    *store.Database
	lists    *roster.Service
	clinicID bson.ObjectID
	records  []bson.M // as they are stored
}

var (
	tagA, tagB   = objectID("aa0000000000000000000001"), objectID("aa0000000000000000000002")
	siteA, siteB = objectID("bb0000000000000000000001"), objectID("bb0000000000000000000002")
	someTime     = time.Date(2030, 3, 1, 10, 0, 0, 0, time.UTC)
)

func objectID(hex string) bson.ObjectID {
	id, err := bson.ObjectIDFromHex(hex)
	if err != nil {
		panic(err)
	}
	return id
}

// newStage stores the patients of a clinic, and one patient of another.
func newStage(t *testing.T) *stage {
	t.Helper()
	d := testkit.Database(t)
	s := &stage{store: d, lists: roster.NewService(d), clinicID: bson.NewObjectID()}
	random := rand.New(rand.NewPCG(3, 5))
	var documents []any
	for i := range 48 {
		documents = append(documents, s.patient(random, i))
	}
	stranger := s.patient(random, 0)
	stranger["_id"], stranger["clinicId"] = bson.NewObjectID(), bson.NewObjectID()
	_, err := d.Collection(patients.CollectionName).InsertMany(t.Context(), append(documents, stranger))
	require.NoError(t, err)
	s.records = testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "clinicId", Value: s.clinicID}})
	require.Len(t, s.records, len(documents))
	return s
}

// names tie in threes; their order is that of the base letters.
var names = []any{"adam", "Ádam", "ADAM", "bob", "Böb", "bOb", "Çelik", "celik", "zoe", "Zoë", "Élan 2", "elan 10", "", nil}

func (s *stage) patient(random *rand.Rand, i int) bson.M {
	record := bson.M{
		"clinicId": s.clinicID, "userId": fmt.Sprintf("%010x", i),
		"birthDate": choose(random, "2001-02-03", "1999-12-31", "2001-02-03", ""), "email": choose[any](random, nil, fmt.Sprintf("p%d.x+y@Example.com", i)),
		"fullName": names[i%len(names)], "mrn": choose[any](random, nil, fmt.Sprintf("M.%d", i)), "createdTime": someTime, "updatedTime": someTime,
	}
	record["_id"] = bson.ObjectID{byte(random.IntN(256)), byte(i)} // not in the order of the names
	choices := map[string][]any{
		"tags":           {nil, bson.A{}, bson.A{tagA}, bson.A{tagB, tagA}, bson.A{tagB}},
		"sites":          {nil, bson.A{}, bson.A{bson.M{"id": siteA, "name": "A"}}, bson.A{bson.M{"id": siteB, "name": "B"}, bson.M{"id": siteA, "name": "A"}}},
		"glycemicRanges": {bson.M{"type": "preset", "preset": "adaStandard"}, bson.M{"type": "preset", "preset": "adaPregnancyType1"}, bson.M{"type": "custom"}},
		"reviews": {nil, bson.A{}, bson.A{bson.M{"clinicianId": "c", "time": someTime}},
			bson.A{bson.M{"clinicianId": "c", "time": someTime.Add(time.Hour)}, bson.M{"clinicianId": "c", "time": someTime}}},
		"summary": {nil, bson.M{}, s.summary(random), s.summary(random), s.summary(random), s.summary(random), s.summary(random), s.summary(random)},
	}
	for field, values := range choices {
		if random.IntN(5) > 0 {
			record[field] = choose(random, values...)
		}
	}
	return record
}

func (s *stage) summary(random *rand.Rand) bson.M {
	made := bson.M{}
	for half, period := range map[string]reflect.Type{"cgmStats": reflect.TypeFor[summary.CGMPeriod](), "bgmStats": reflect.TypeFor[summary.BGMPeriod]()} {
		if random.IntN(6) == 0 {
			continue
		}
		stats := bson.M{"id": "x", "config": bson.M{"schemaVersion": 5}, "dates": values(random, reflect.TypeFor[summary.Dates]())}
		periods := bson.M{}
		for _, name := range []string{"1d", "7d", "14d", "30d"} {
			if random.IntN(8) > 0 {
				periods[name] = values(random, period)
			}
		}
		stats["periods"] = periods
		made[half] = stats
	}
	return made
}

// values gives each stored field of a struct one of few values, or leaves it out; null where the
// service stores that.
func values(random *rand.Rand, t reflect.Type) bson.M {
	result := bson.M{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("bson"), ",")
		kind := t.Field(i).Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if random.IntN(6) == 0 || kind.Kind() == reflect.Slice {
			continue
		}
		switch {
		case kind.Kind() == reflect.Bool:
			result[name] = random.IntN(4) > 0
		case random.IntN(5) == 0 && t.Field(i).Tag.Get("bson") == name: // without omitempty
			result[name] = nil
		case kind.Kind() == reflect.Float64:
			result[name] = choose(random, 0.5, 0.25, 0.7, -1.5)
		case kind.Kind() == reflect.Int:
			result[name] = choose[any](random, int32(3), int64(3), int32(96), int64(-2))
		default:
			result[name] = someTime.Add(time.Duration(random.IntN(3)) * time.Hour)
		}
	}
	return result
}

func choose[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }

// list returns the user ids of a list, in order, and its count, for parameters in the form of a URL query.
func (s *stage) list(t *testing.T, parameters map[string][]string, page store.Page) ([]string, int) {
	t.Helper()
	query, err := roster.ParseQuery(parameters, page)
	require.NoError(t, err, parameters)
	list, err := s.lists.List(t.Context(), s.clinicID, query)
	require.NoError(t, err, parameters)
	require.Equal(t, len(s.records), list.Total)
	ids := []string{}
	for row, err := range list.Rows {
		require.NoError(t, err, parameters)
		ids = append(ids, row.Patient.UserID)
	}
	return ids, list.Count
}

// everyone is a page that holds all.
var everyone = store.Page{Limit: 1000}

// at returns the value at a dotted path of a record, nil if there is none.
func at(record any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch container := record.(type) {
		case bson.M:
			record = container[name]
		case bson.D:
			record = nil
			for _, element := range container {
				if element.Key == name {
					record = element.Value
				}
			}
		case bson.A:
			if name != "0" || len(container) == 0 {
				return nil
			}
			record = container[0]
		default:
			return nil
		}
	}
	return record
}

// key is a part of an order: compare two records by what is at a path.
type key struct {
	path       string
	descending bool
	present    bool // whether only the presence of a value counts
}

// sorted returns the user ids of the records that meet a condition, ordered by the keys and then by id.
func (s *stage) sorted(condition func(bson.M) bool, keys ...key) []string {
	records := slices.Clone(s.records)
	slices.SortFunc(records, func(a, b bson.M) int {
		for _, k := range keys {
			x, y := at(a, k.path), at(b, k.path)
			order := compareStored(k.path, x, y)
			if k.present {
				order = compareStored("", x != nil, y != nil)
			}
			if k.descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		x, y := a["_id"].(bson.ObjectID), b["_id"].(bson.ObjectID)
		return bytes.Compare(x[:], y[:])
	})
	ids := []string{}
	for _, record := range records {
		if condition == nil || condition(record) {
			ids = append(ids, record["userId"].(string))
		}
	}
	return ids
}

func compareStored(path string, a, b any) int {
	class := func(v any) int {
		switch v.(type) {
		case nil:
			return 0
		case string:
			return 2
		case bson.D, bson.M:
			return 3
		case bson.A:
			return 4
		case bool:
			return 5
		case bson.DateTime:
			return 6
		default:
			return 1
		}
	}
	return cmp.Or(cmp.Compare(class(a), class(b)), cmp.Compare(number(a), number(b)), cmp.Compare(plain(path, a), plain(path, b)))
}

func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int32:
		return float64(n)
	case int64:
		return float64(n)
	case bool:
		if n {
			return 1
		}
		return 0
	case bson.DateTime:
		return float64(n)
	default:
		return 0
	}
}

var baseLetters = strings.NewReplacer("á", "a", "ö", "o", "ç", "c", "ë", "e", "é", "e")

// plain returns a text as its path compares it: names without case and accents.
func plain(path string, v any) string {
	s, _ := v.(string)
	if path == "fullName" {
		return baseLetters.Replace(strings.ToLower(s))
	}
	return s
}
