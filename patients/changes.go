package patients

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ownFields are written with every update, whatever it changes.
var ownFields = map[string]bool{"updatedTime": true, "requireUniqueMrn": true}

// changedFields returns the names of the fields to which an update gives another value. A field that is null is as one that is
// missing.
func changedFields(before, after *Patient) []string {
	stored, err := bson.Marshal(before)
	if err != nil {
		return nil // what was read can be written
	}
	changed := []string{}
	set, _ := assignments(before, after)[0].Value.(bson.D)
	for _, field := range set {
		if ownFields[field.Key] {
			continue
		}
		kind, value, err := bson.MarshalValue(field.Value)
		if err != nil {
			return nil
		}
		old, _ := bson.Raw(stored).LookupErr(field.Key) // a field that is missing has no type
		if isAbsent(old.Type) && isAbsent(kind) || old.Type == kind && bytes.Equal(old.Value, value) {
			continue
		}
		changed = append(changed, field.Key)
	}
	return changed
}

func isAbsent(kind bson.Type) bool { return kind == 0 || kind == bson.TypeNull }
