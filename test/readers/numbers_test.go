package readers_test

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// width is the type into which the readers of a number decode it.
type width string

const (
	// single is a float32. The driver refuses a double that is no exact float32.
	single width = "float32"
	double width = "float64"
	// whole is an integer. Some readers get documents as JSON, in which only int32 is a plain number.
	whole width = "int32"
	// exact numbers are those of somebody else's document, which is stored as it was sent; readers take it as it is.
	exact width = "exact"
	// own numbers are those that no other service reads.
	own width = "own"
)

// widths are those of all numbers that the service stores; the first line that fits a path counts. A path is that of the
// members, below the name of the collection; "*" stands for any part of a name, "[]" for any element of a list, and "**" for
// any path. A number that is not here fails the test: find out how wide its readers are before it is stored.
var widths = []struct {
	path  string
	width width
}{
	{"*.derived.**", own},
	{"census*.**", own},
	{"open_merge*.**", own},
	{"redox.meta.Message.ID", single},
	{"redox.meta.Transmission.ID", single},
	{"redox.message.**", exact},
	{"scheduledSummaryAndReportsOrders.lastMatchedOrder.meta.Message.ID", single},
	{"scheduledSummaryAndReportsOrders.lastMatchedOrder.meta.Transmission.ID", single},
	{"scheduledSummaryAndReportsOrders.lastMatchedOrder.message.**", exact},
	{"patients.glycemicRanges.custom.thresholds[].upperBound.value", single},
	{"patient_deletions.patient.glycemicRanges.custom.thresholds[].upperBound.value", single},
	{"merge_plans.plan.sourcePatient.glycemicRanges.custom.thresholds[].upperBound.value", single},
	{"merge_plans.plan.targetPatient.glycemicRanges.custom.thresholds[].upperBound.value", single},
	{"merge_plans.plan.conflicts.**.glycemicRanges.custom.thresholds[].upperBound.value", single},
	{"**summary.*.config.schemaVersion", whole},
	{"**summary.*.config.*Threshold", double},
	{"**summary.*.periods.*.averageDailyRecords*", double},
	{"**summary.*.periods.*.*Records", whole},
	{"**summary.*.periods.*.*RecordsDelta", whole},
	{"**summary.*.periods.*.*Minutes", whole},
	{"**summary.*.periods.*.*MinutesDelta", whole},
	{"**summary.*.periods.*.daysWithData*", whole},
	{"**summary.*.periods.*.hoursWithData*", whole},
	{"**summary.*.periods.*.*", double},
	{"clinics.patientCount.**", whole},
	{"clinics.patientCountSettings.**", whole},
	{"clinic_deletions.clinic.patientCount.**", whole},
	{"clinic_deletions.clinic.patientCountSettings.**", whole},
	{"merge_plans.plan.*.patientCount.**", whole},
	{"merge_plans.plan.*.patientCountSettings.**", whole},
	{"merge_plans.plan.*.*[].patients", whole},
	{"merge_plans.plan.site.patients", whole},
}

// rule returns the place of the first line for a path, -1 if nobody decided.
func rule(path string) int {
	for i, one := range widths {
		pattern := regexp.QuoteMeta(one.path)
		pattern = strings.ReplaceAll(pattern, `\*\*`, `.+`)
		pattern = strings.ReplaceAll(pattern, `\*`, `[^.]*`)
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			return i
		}
	}
	return -1
}

// fits reports whether a reader of the width can decode the value.
func fits(value bson.RawValue, w width) bool {
	switch w {
	case single:
		var narrow float32
		return value.Type == bson.TypeDouble && value.Unmarshal(&narrow) == nil && !math.IsInf(float64(narrow), 0)
	case double:
		number, ok := value.DoubleOK()
		return ok && !math.IsNaN(number) && !math.IsInf(number, 0)
	case whole:
		return value.Type == bson.TypeInt32
	case exact, own:
		return true
	default:
		return false
	}
}

// numbers goes through all numbers in a value and calls see for each.
func numbers(path string, value bson.RawValue, see func(path string, value bson.RawValue)) {
	var inner bson.Raw
	name := func(key string) string { return path + "." + key }
	switch value.Type {
	case bson.TypeDouble, bson.TypeInt32, bson.TypeInt64, bson.TypeDecimal128:
		see(path, value)
	case bson.TypeEmbeddedDocument:
		inner = value.Document()
	case bson.TypeArray:
		inner = bson.Raw(value.Array())
		name = func(string) string { return path + "[]" }
	default:
	}
	elements, _ := inner.Elements()
	for _, element := range elements {
		numbers(name(element.Key()), element.Value(), see)
	}
}

// TestEveryStoredNumberFitsItsReaders writes by many operations, with numbers that no narrow type holds, and then looks at
// every number of every collection.
func TestEveryStoredNumberFitsItsReaders(t *testing.T) {
	t.Parallel()
	d := write(t)
	collections, err := d.ListCollectionNames(t.Context(), bson.D{})
	require.NoError(t, err)
	used, problems := make([]bool, len(widths)), map[string]string{}
	for _, collection := range collections {
		cursor, err := d.Collection(collection).Find(t.Context(), bson.D{})
		require.NoError(t, err)
		var documents []bson.Raw
		require.NoError(t, cursor.All(t.Context(), &documents))
		for _, document := range documents {
			numbers(collection, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: document}, func(path string, value bson.RawValue) {
				line := rule(path)
				if line < 0 {
					problems[path] = "nobody decided how wide its readers are: " + value.String()
					return
				}
				used[line] = true
				if w := widths[line].width; !fits(value, w) {
					problems[path] = "does not fit " + string(w) + ": " + value.String()
				}
			})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(problems)) {
		t.Errorf("%s %s", path, problems[path])
	}
	for line, one := range widths {
		require.True(t, used[line] || one.width == own, "no number is stored at %s: the test writes too little, or the line is stale", one.path)
	}
}
