package xealth

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// orderMembers are the parts of an order that are kept.
var orderMembers = []string{"orderInfo", "patientIdentity", "preorder", "datasets", "batchFileInfo"}

// parseOrder reads an order that Xealth sent, and makes the document that is stored: what was sent, with times as dates and
// without nulls. Its errors do not repeat what was sent, which is data of a patient.
func parseOrder(content json.RawMessage) (Order, error) {
	var order Order
	var members map[string]any
	if json.Unmarshal(content, &order) != nil || json.Unmarshal(content, &members) != nil {
		return Order{}, errors.New("the order that was read is not in the expected form")
	}
	maps.DeleteFunc(members, func(name string, _ any) bool { return !slices.Contains(orderMembers, name) })
	if info, ok := members["orderInfo"].(map[string]any); ok && info["orderState"] == nil {
		info["orderState"] = "" // COMPAT: readers of stored orders find it always
	}
	order.document = toStored(members)
	return order, nil
}

func toStored(object map[string]any) bson.D {
	document := make(bson.D, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if value := storedValue(name, object[name]); value != nil {
			document = append(document, bson.E{Key: name, Value: value})
		}
	}
	return document
}

// storedValue decides by the name of a member whether a text is a time, so that the stored type does not depend on what
// was sent.
func storedValue(name string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		return toStored(value)
	case []any:
		list := make(bson.A, len(value))
		for i, element := range value {
			list[i] = storedValue(name, element)
		}
		return list
	case string:
		if name == "birthDate" {
			if t, err := time.Parse(time.DateOnly, value); err == nil {
				return bson.D{{Key: "time", Value: t}} // COMPAT: how the reference service stores a calendar date
			}
		}
		if strings.HasSuffix(name, "DateTime") || strings.HasSuffix(name, "TimeStamp") {
			if t, err := time.Parse(time.RFC3339, value); err == nil {
				return t
			}
		}
		return value
	default:
		return value
	}
}

// loadOrder reads an order that was stored, by this service or by an older writer.
func loadOrder(document bson.D) (Order, error) {
	content, err := json.Marshal(sentValue(document))
	if err != nil {
		return Order{}, errors.New("a stored order cannot be read")
	}
	order := Order{document: document}
	if json.Unmarshal(content, &order) != nil {
		return Order{}, errors.New("a stored order is not in the expected form")
	}
	return order, nil
}

// sentValue undoes storedValue.
func sentValue(value any) any {
	switch value := value.(type) {
	case bson.D:
		if len(value) == 1 && value[0].Key == "time" {
			if t, ok := value[0].Value.(bson.DateTime); ok {
				return t.Time().UTC().Format(time.DateOnly)
			}
		}
		object := make(map[string]any, len(value))
		for _, member := range value {
			object[member.Key] = sentValue(member.Value)
		}
		return object
	case bson.A:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = sentValue(element)
		}
		return list
	case bson.DateTime:
		return value.Time().UTC().Format(time.RFC3339Nano)
	default:
		return value
	}
}
