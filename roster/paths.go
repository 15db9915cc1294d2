package roster

import (
	"regexp"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

var arrayIndex = regexp.MustCompile(`\.\d+\b`)

// withoutIndexes returns a path without positions in arrays, which projections do not know: reviews.time for
// reviews.0.time. A period such as 14d is no position.
func withoutIndexes(path string) string { return arrayIndex.ReplaceAllString(path, "") }

// lookup returns the value at a dotted path, the zero RawValue if there is none.
func lookup(record bson.Raw, path string) bson.RawValue {
	value, err := record.LookupErr(strings.Split(path, ".")...)
	if err != nil {
		return bson.RawValue{}
	}
	return value
}
