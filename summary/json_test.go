package summary

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// What is written straight from the store must be what the struct gives, whatever is present.
func TestAStoredSummaryIsWrittenAsTheStructIs(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	for range 300 {
		var summary Summary
		fillAtRandom(random, reflect.ValueOf(&summary).Elem())
		requireSameJSON(t, &summary)
	}
}

// Older writers and other services leave things out, add some, and use other types of numbers.
func TestOddlyStoredSummariesAreWrittenAsTheStructIs(t *testing.T) {
	t.Parallel()
	tests := map[string]any{
		"empty":                    bson.D{},
		"only a half":              bson.D{{Key: "bgmStats", Value: bson.D{{Key: "id", Value: "abc"}}}},
		"a null half":              bson.D{{Key: "cgmStats", Value: nil}},
		"null dates":               bson.D{{Key: "cgmStats", Value: bson.D{{Key: "dates", Value: nil}, {Key: "config", Value: nil}}}},
		"unknown members":          bson.D{{Key: "extra", Value: 1}, {Key: "cgmStats", Value: bson.D{{Key: "more", Value: bson.A{1, "x"}}}}},
		"no periods":               bson.D{{Key: "cgmStats", Value: bson.D{{Key: "periods", Value: bson.D{}}}}},
		"an empty period":          bson.D{{Key: "cgmStats", Value: bson.D{{Key: "periods", Value: bson.D{{Key: "14d", Value: bson.D{}}}}}}},
		"an odd name of a period":  bson.D{{Key: "bgmStats", Value: bson.D{{Key: "periods", Value: bson.D{{Key: "\"<ä\x01", Value: bson.D{}}}}}}},
		"whole numbers as doubles": period(bson.D{{Key: "totalRecords", Value: 12.0}, {Key: "daysWithData", Value: 3.0}}),
		"doubles as whole numbers": period(bson.D{{Key: "min", Value: int32(-3)}, {Key: "max", Value: int64(1 << 40)}}),
		"null values":              period(bson.D{{Key: "min", Value: nil}, {Key: "timeInLowPercent", Value: nil}, {Key: "hasTotalRecords", Value: nil}}),
		"small and large numbers":  period(bson.D{{Key: "min", Value: 1e-9}, {Key: "max", Value: -2.5e21}, {Key: "minDelta", Value: 1e-6}, {Key: "maxDelta", Value: 123456789.125}}),
		"another order":            period(bson.D{{Key: "max", Value: 2.0}, {Key: "timeInLowPercent", Value: 0.5}, {Key: "min", Value: 1.0}}),
		"no reasons": bson.D{{Key: "cgmStats", Value: bson.D{{Key: "dates", Value: bson.D{
			{Key: "lastUpdatedReason", Value: bson.A{}}, {Key: "outdatedReason", Value: nil}, {Key: "lastData", Value: time.UnixMilli(-5).UTC()},
		}}}}},
		"reasons": bson.D{{Key: "cgmStats", Value: bson.D{{Key: "dates", Value: bson.D{{Key: "lastUpdatedReason", Value: bson.A{"A", "b & \"c\""}}}}}}},
	}
	for name, stored := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSameJSON(t, stored)
		})
	}
}

func TestWhatCannotBeShownOfASummaryIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, stored := range []bson.D{
		period(bson.D{{Key: "min", Value: math.NaN()}}),
		period(bson.D{{Key: "totalRecords", Value: 1.5}}),
		{{Key: "cgmStats", Value: bson.A{}}},
	} {
		shown, err := newStored(t, stored).AppendJSON(nil)
		require.NoError(t, err)
		require.True(t, json.Valid(shown), string(shown))
	}
}

func period(fields bson.D) bson.D {
	return bson.D{{Key: "cgmStats", Value: bson.D{{Key: "periods", Value: bson.D{{Key: "7d", Value: fields}}}}}}
}

func newStored(t *testing.T, value any) Stored {
	t.Helper()
	record, err := bson.Marshal(bson.D{{Key: "summary", Value: value}})
	require.NoError(t, err)
	stored := NewStored(bson.Raw(record).Lookup("summary"))
	require.True(t, stored.Exists())
	return stored
}

func requireSameJSON(t *testing.T, summary any) {
	t.Helper()
	stored := newStored(t, summary)
	decoded, err := stored.Decode()
	require.NoError(t, err)
	want, err := json.Marshal(decoded)
	require.NoError(t, err)
	got, err := stored.AppendJSON([]byte("before"))
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got[len("before"):]))
	require.Len(t, got, len("before")+len(want), "the same but for the order of members")
	_, direct := summaryShape.append(nil, stored.value.Value)
	if _, ok := summary.(*Summary); ok {
		require.True(t, direct, "what the service writes needs no detour")
	}
}

// fillAtRandom gives about half of the optional values a value.
func fillAtRandom(random *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if random.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillAtRandom(random, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(random.Int64N(4e12)).UTC()))
			return
		}
		for i := range v.NumField() {
			fillAtRandom(random, v.Field(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, name := range []string{"1d", "7d", "14d", "30d"}[:random.IntN(5)] {
			value := reflect.New(v.Type().Elem()).Elem()
			fillAtRandom(random, value)
			v.SetMapIndex(reflect.ValueOf(name), value)
		}
	case reflect.Slice:
		for range random.IntN(3) {
			v.Set(reflect.Append(v, reflect.ValueOf("REASON")))
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Int:
		v.SetInt(random.Int64N(1<<uint(random.IntN(40)+1)) - 5)
	case reflect.Float64:
		v.SetFloat((random.Float64() - 0.3) * math.Pow10(random.IntN(50)-25))
	}
}
