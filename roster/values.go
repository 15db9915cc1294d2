package roster

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// tableValue is a stored value as a table keeps it: what orders compare, and, where lists lie on the way, into which the
// conditions of the database look, what conditions compare instead.
type tableValue struct {
	sort sortValue
	odd  []sortValue // nil if conditions compare sort as well
}

// readValue reads the value at a path of a stored record.
func readValue(record bson.Raw, path []string) tableValue {
	value, plain := walk(record, path)
	if plain && value.Type != bson.TypeArray && value.Type != bson.TypeDecimal128 {
		return tableValue{sort: newSortValue(value)}
	}
	odd := []sortValue{}
	for _, candidate := range candidates(document(record), path) {
		v := newSortValue(candidate)
		if decimal, ok := candidate.Decimal128OK(); ok {
			v.number, _ = strconv.ParseFloat(decimal.String(), 64) // out of range is infinite, as it should be
		}
		odd = append(odd, v)
	}
	return tableValue{sort: newSortValue(value), odd: odd}
}

func document(record bson.Raw) bson.RawValue {
	return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: record}
}

// walk returns the value at a path, the zero RawValue if there is none, and whether no list lies on the way.
func walk(record bson.Raw, path []string) (value bson.RawValue, plain bool) {
	value = document(record)
	for _, name := range path {
		if value.Type != bson.TypeEmbeddedDocument {
			return bson.RawValue{}, value.Type != bson.TypeArray
		}
		next, err := bson.Raw(value.Value).LookupErr(name)
		if err != nil {
			return bson.RawValue{}, true
		}
		value = next
	}
	return value, true
}

// candidates returns the values with which the database compares a condition on a path: it looks into lists on the way, and
// at the end takes both a list and what is in it.
func candidates(value bson.RawValue, path []string) []bson.RawValue {
	if len(path) == 0 {
		return append(store.Items(value), value)
	}
	if value.Type != bson.TypeEmbeddedDocument {
		return nil
	}
	next, err := bson.Raw(value.Value).LookupErr(path[0])
	if err != nil {
		return nil
	}
	if next.Type != bson.TypeArray || len(path) == 1 {
		return candidates(next, path[1:])
	}
	var found []bson.RawValue
	for _, item := range store.Items(next) {
		found = append(found, candidates(item, path[1:])...)
	}
	return found
}

// texts returns the texts with which the database compares a condition on a path.
func texts(record bson.Raw, path ...string) []string {
	value, plain := walk(record, path)
	if text, ok := value.StringValueOK(); ok {
		return []string{text}
	}
	if plain && value.Type != bson.TypeArray {
		return nil
	}
	var found []string
	for _, candidate := range candidates(document(record), path) {
		if text, ok := candidate.StringValueOK(); ok {
			found = append(found, text)
		}
	}
	return found
}

// isTrue reports whether a condition of the database finds true at a path.
func isTrue(record bson.Raw, path []string) bool {
	for _, candidate := range candidates(document(record), path) {
		if b, ok := candidate.BooleanOK(); ok && b {
			return true
		}
	}
	return false
}

// valueCondition compares the value at a path with one of the same type.
type valueCondition struct {
	path     string
	operator string // as the database calls it
	operand  sortValue
}

func (c valueCondition) holds(v sortValue) bool {
	if v.class != c.operand.class {
		return false
	}
	x, y := v.number, c.operand.number
	if math.IsNaN(x) || math.IsNaN(y) { // it equals itself, and has no order
		return strings.HasSuffix(c.operator, "e") && math.IsNaN(x) && math.IsNaN(y)
	}
	switch c.operator {
	case "$lt":
		return x < y
	case "$lte":
		return x <= y
	case "$gt":
		return x > y
	default:
		return x >= y
	}
}

// sortValueOf returns the operand of a condition as it is compared.
func sortValueOf(operand any) sortValue {
	if at, ok := operand.(time.Time); ok {
		return sortValue{class: classes[bson.TypeDateTime], number: float64(bson.NewDateTimeFromTime(at))}
	}
	number, _ := operand.(float64) // there is no other type of operand
	return sortValue{class: classes[bson.TypeDouble], number: number}
}
