package store

import (
	"errors"
	"io"
	"math"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// lenientRegistry returns decoders that take what a foreign hand stored in an unexpected form as absent: a value whose type
// does not fit the field is left out, and so is an element of a list that does not fit its type. Without it, one such value
// would make the whole document, and every list that it stands in, unreadable. What is left out is reported.
func lenientRegistry(found *misshapen) *bson.Registry {
	r := bson.NewRegistry()
	strict := bson.NewRegistry()
	for kind := range fitting {
		r.RegisterKindDecoder(kind, scalar{strict: strict, fits: fitting[kind]})
	}
	r.RegisterTypeDecoder(reflect.TypeFor[time.Time](), scalar{strict: strict, fits: []bson.Type{bson.TypeDateTime}})
	r.RegisterTypeDecoder(reflect.TypeFor[bson.ObjectID](), scalar{strict: strict, fits: []bson.Type{bson.TypeObjectID}})
	for _, asItIs := range []reflect.Type{reflect.TypeFor[bson.RawValue](), reflect.TypeFor[any](), reflect.TypeFor[bson.D](), reflect.TypeFor[bson.Raw]()} {
		r.RegisterTypeDecoder(asItIs, plain{strict})
	}
	r.RegisterKindDecoder(reflect.Struct, structs{strict: strict, found: found})
	r.RegisterKindDecoder(reflect.Slice, bson.ValueDecoderFunc(decodeList))
	r.RegisterKindDecoder(reflect.Map, maps{strict})
	r.RegisterKindDecoder(reflect.Pointer, bson.ValueDecoderFunc(decodePointer))
	return r
}

var numbers = []bson.Type{bson.TypeInt32, bson.TypeInt64, bson.TypeDouble}

// fitting are the types that a value of a kind may be stored as.
var fitting = map[reflect.Kind][]bson.Type{
	reflect.Bool: {bson.TypeBoolean}, reflect.String: {bson.TypeString},
	reflect.Int: numbers, reflect.Int8: numbers, reflect.Int16: numbers, reflect.Int32: numbers, reflect.Int64: numbers,
	reflect.Uint: numbers, reflect.Uint8: numbers, reflect.Uint16: numbers, reflect.Uint32: numbers, reflect.Uint64: numbers,
	reflect.Float32: numbers, reflect.Float64: numbers,
}

// leaveOut takes the value as absent.
func leaveOut(vr bson.ValueReader, val reflect.Value) error {
	val.SetZero()
	if r, ok := vr.(*reader); ok && vr.Type() != bson.TypeNull {
		r.leftOut++
	}
	return vr.Skip()
}

// isAbsent reports whether an error tells that a value, not the document, is wrong. The value has been read then.
func isAbsent(err error) bool {
	return err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}

// scalar decodes values that consist of nothing else.
type scalar struct {
	strict *bson.Registry
	fits   []bson.Type
}

// DecodeValue implements bson.ValueDecoder.
func (s scalar) DecodeValue(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	if !isOneOf(vr.Type(), s.fits) {
		return leaveOut(vr, val)
	}
	decoder, err := s.strict.LookupDecoder(val.Type())
	if err != nil {
		return err
	}
	err = decoder.DecodeValue(dc, inner(vr), val)
	if r, ok := vr.(*reader); ok && (isAbsent(err) || isNoNumber(val)) { // such as a number that is too large
		val.SetZero()
		r.leftOut++
		return nil
	}
	return err
}

// isNoNumber reports whether the value is one that JSON has no number for.
func isNoNumber(val reflect.Value) bool {
	return val.CanFloat() && (math.IsNaN(val.Float()) || math.IsInf(val.Float(), 0))
}

func isOneOf(t bson.Type, types []bson.Type) bool {
	for _, candidate := range types {
		if t == candidate {
			return true
		}
	}
	return false
}

// plain decodes values that take any type.
type plain struct{ strict *bson.Registry }

// DecodeValue implements bson.ValueDecoder.
func (p plain) DecodeValue(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	if !isFitting(vr.Type(), val.Type()) {
		return leaveOut(vr, val)
	}
	decoder, err := p.strict.LookupDecoder(val.Type())
	if err != nil {
		return err
	}
	dc.Registry = p.strict // what is inside is of no known type
	return decoder.DecodeValue(dc, inner(vr), val)
}

// isDocument reports whether a document is read. The outermost has no type.
func isDocument(t bson.Type) bool { return t == bson.TypeEmbeddedDocument || t == bson.Type(0) }

// structs decodes documents. The outermost reports what was left out anywhere in it.
type structs struct {
	strict *bson.Registry
	found  *misshapen
}

// DecodeValue implements bson.ValueDecoder.
func (s structs) DecodeValue(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	if !isDocument(vr.Type()) {
		return leaveOut(vr, val)
	}
	decoder, err := s.strict.LookupDecoder(val.Type())
	if err != nil {
		return err
	}
	if _, ok := vr.(*reader); ok {
		return decoder.DecodeValue(dc, vr, val)
	}
	outermost := &reader{ValueReader: vr}
	if err := decoder.DecodeValue(dc, outermost, val); err != nil {
		return err
	}
	if outermost.leftOut > 0 {
		s.found.report(val, outermost.leftOut)
	}
	return nil
}

// decodeList leaves out what does not fit, so that the list holds only what its readers expect.
func decodeList(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	if val.Type().Elem().Kind() == reflect.Uint8 {
		return decodeBytes(vr, val)
	}
	if vr.Type() != bson.TypeArray {
		return leaveOut(vr, val)
	}
	decoder, err := dc.LookupDecoder(val.Type().Elem())
	if err != nil {
		return err
	}
	array, err := vr.ReadArray()
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(val.Type(), 0, 0)
	for {
		item, err := array.ReadValue()
		if errors.Is(err, bson.ErrEOA) {
			val.Set(list)
			return nil
		}
		if err != nil {
			return err
		}
		element := reflect.New(val.Type().Elem()).Elem()
		fits, err := decodeFitting(decoder, dc, item, element)
		if err != nil {
			return err
		}
		if fits {
			list = reflect.Append(list, element)
		}
	}
}

// decodeFitting reports whether the value was of use.
func decodeFitting(decoder bson.ValueDecoder, dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) (bool, error) {
	if !isFitting(vr.Type(), val.Type()) {
		return false, leaveOut(vr, val)
	}
	r, _ := vr.(*reader)
	before := 0
	if r != nil {
		before = r.leftOut
	}
	err := decoder.DecodeValue(dc, vr, val)
	_, isScalar := fitting[val.Kind()]
	return r == nil || !isScalar || r.leftOut == before, err
}

func decodeBytes(vr bson.ValueReader, val reflect.Value) error {
	if vr.Type() != bson.TypeBinary {
		return leaveOut(vr, val)
	}
	data, _, err := vr.ReadBinary()
	val.SetBytes(data)
	return err
}

// isFitting reports whether a value of the stored type can be decoded into the Go type.
func isFitting(stored bson.Type, t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[time.Time]():
		return stored == bson.TypeDateTime
	case reflect.TypeFor[bson.ObjectID]():
		return stored == bson.TypeObjectID
	case reflect.TypeFor[bson.RawValue]():
		return true
	case reflect.TypeFor[bson.Raw](), reflect.TypeFor[bson.D]():
		return isDocument(stored)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return isFitting(stored, t.Elem())
	case reflect.Struct, reflect.Map:
		return isDocument(stored)
	case reflect.Slice:
		return stored == bson.TypeArray || t.Elem().Kind() == reflect.Uint8 && stored == bson.TypeBinary
	default:
		types, ok := fitting[t.Kind()]
		return !ok || isOneOf(stored, types)
	}
}

// decodePointer makes nothing for a value that does not fit.
func decodePointer(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	decoder, err := dc.LookupDecoder(val.Type().Elem())
	if err != nil {
		return err
	}
	target := val
	if val.IsNil() {
		target = reflect.New(val.Type().Elem())
	}
	fits, err := decodeFitting(decoder, dc, vr, target.Elem())
	if !fits {
		val.SetZero()
		return err
	}
	val.Set(target)
	return err
}
