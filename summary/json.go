package summary

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// Stored is a summary as it is stored. It is written as the JSON that the Summary struct would give, but straight
// from the stored form: a summary has some 900 values, and making and reading a struct of them for each patient takes most
// of the time of a list.
type Stored struct{ value bson.RawValue }

// NewStored returns the value of the field summary of a stored patient, whose memory it shares. The zero value stands for none.
func NewStored(value bson.RawValue) Stored { return Stored{value} }

// Exists reports whether there is a summary.
func (s Stored) Exists() bool { return s.value.Type == bson.TypeEmbeddedDocument }

// Decode returns the summary as a struct, nil if there is none.
func (s Stored) Decode() (*Summary, error) {
	if !s.Exists() {
		return nil, nil
	}
	var summary Summary
	return &summary, store.UnmarshalPart(s.value.Value, &summary)
}

// AppendJSON appends the summary in its wire form. There must be one.
func (s Stored) AppendJSON(to []byte) ([]byte, error) {
	start := len(to)
	if done, ok := summaryShape.append(to, s.value.Value); ok {
		return done, nil
	}
	// Something is stored in another type than the service writes: what the struct makes of it counts.
	summary, err := s.Decode()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(summary)
	if err != nil {
		return nil, err
	}
	return append(to[:start], encoded...), nil
}

// MarshalJSON is AppendJSON for encoders.
func (s Stored) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

var summaryShape = newShape(reflect.TypeFor[Summary]())

// shape is how documents of a struct type look on the wire. It is made once from the tags of the struct, so that there is
// one description of a summary.
type shape struct {
	fields  []shapeField
	byKey   map[string]int
	open    bool // whether the keys are free; then every value is of the type of element
	element appendFunc
	zero    []byte // what stands for a document that is missing
}

type shapeField struct {
	key      string     // in the store
	name     []byte     // on the wire, with quotes and colon
	append   appendFunc // nil never
	fallback []byte     // what stands for a missing value; nil: the field is left out
	// keepEmpty tells that a value that is there but empty is not the same as a missing one.
	keepEmpty bool
}

// appendFunc appends a stored value in its wire form. Empty tells that the value is one that is left out where that is allowed;
// ok is false if it is stored in a type that is not expected.
type appendFunc func(to []byte, kind bson.Type, value []byte) (done []byte, empty, ok bool)

func newShape(t reflect.Type) *shape {
	s := &shape{byKey: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		key, _, _ := strings.Cut(f.Tag.Get("bson"), ",")
		field := shapeField{
			key: key, name: []byte(strconv.Quote(name) + ":"), append: appender(f.Type), keepEmpty: f.Type.Kind() == reflect.Pointer,
		}
		if options != "omitempty" {
			field.fallback = zeroJSON(f.Type)
		}
		s.byKey[key] = len(s.fields)
		s.fields = append(s.fields, field)
	}
	s.zero = zeroJSON(t)
	return s
}

func zeroJSON(t reflect.Type) []byte {
	encoded, err := json.Marshal(reflect.Zero(t).Interface())
	if err != nil {
		panic(fmt.Sprintf("the zero value of %s has no JSON form: %v", t, err)) // a mistake in the program, seen at its start
	}
	return encoded
}

// appender returns how values of a type are written. A type that it does not know is a mistake in the program.
func appender(t reflect.Type) appendFunc {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return appendTime
	case t.Kind() == reflect.Struct:
		return newShape(t).appendValue
	case t.Kind() == reflect.Map:
		return (&shape{open: true, element: appender(t.Elem())}).appendValue
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return appendTexts
	}
	simple, ok := map[reflect.Kind]appendFunc{
		reflect.Bool: appendBool, reflect.Int: appendInt, reflect.Float64: appendFloat, reflect.String: appendText,
	}[t.Kind()]
	if !ok {
		panic("no JSON form is known for " + t.String())
	}
	return simple
}

func (s *shape) appendValue(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	if kind != bson.TypeEmbeddedDocument {
		return to, false, false
	}
	done, ok := s.append(to, value)
	return done, s.open && len(done) == len(to)+len("{}"), ok
}

// append appends a stored document.
func (s *shape) append(to []byte, document []byte) ([]byte, bool) {
	to = append(to, '{')
	start := len(to)
	var seen [maxFields / 64]uint64
	expected := 0
	for rest := document[lengthSize:]; len(rest) > 0 && rest[0] != 0; {
		kind, key, value, next, ok := cutElement(rest)
		if !ok {
			return to, false
		}
		rest = next
		if kind == bson.TypeNull {
			continue // as if it were missing
		}
		before := len(to)
		if s.open {
			to = append(appendQuoted(to, key), ':')
			if to, _, ok = s.element(to, kind, value); !ok {
				return to, false
			}
			to = append(to, ',')
			continue
		}
		i, known := s.find(key, expected)
		if !known {
			continue
		}
		expected = i + 1
		field := &s.fields[i]
		to = append(to, field.name...)
		var empty bool
		if to, empty, ok = field.append(to, kind, value); !ok {
			return to, false
		}
		if empty && field.fallback == nil && !field.keepEmpty {
			to = to[:before]
			continue
		}
		to = append(to, ',')
		seen[i/64] |= 1 << (i % 64)
	}
	for i := range s.fields {
		if field := &s.fields[i]; field.fallback != nil && seen[i/64]&(1<<(i%64)) == 0 {
			to = append(append(append(to, field.name...), field.fallback...), ',')
		}
	}
	if len(to) > start {
		to = to[:len(to)-1] // the last comma
	}
	return append(to, '}'), true
}

// maxFields is more than any struct of a summary has.
const maxFields = 192

// find returns which field has the key. The fields are nearly always stored in the order of the struct.
func (s *shape) find(key []byte, expected int) (int, bool) {
	if expected < len(s.fields) && s.fields[expected].key == string(key) {
		return expected, true
	}
	i, ok := s.byKey[string(key)]
	return i, ok
}
