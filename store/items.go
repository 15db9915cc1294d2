package store

import "go.mongodb.org/mongo-driver/v2/bson"

// Items returns what is in a stored list, nothing if the value is no list: an older writer may have left anything there.
func Items(value bson.RawValue) []bson.RawValue {
	list, ok := value.ArrayOK()
	if !ok {
		return nil
	}
	found, err := list.Values()
	if err != nil {
		return nil
	}
	return found
}
