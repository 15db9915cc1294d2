package store

import (
	"encoding"
	"errors"
	"reflect"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// maps decodes documents whose members are entries. An entry whose key or value does not fit is left out.
type maps struct{ strict *bson.Registry }

// DecodeValue implements bson.ValueDecoder.
func (m maps) DecodeValue(dc bson.DecodeContext, vr bson.ValueReader, val reflect.Value) error {
	if !isDocument(vr.Type()) {
		return leaveOut(vr, val)
	}
	if val.Type().Elem().Kind() == reflect.Interface {
		decoder, err := m.strict.LookupDecoder(val.Type())
		if err != nil {
			return err
		}
		dc.Registry = m.strict // what is inside is of no known type
		return decoder.DecodeValue(dc, inner(vr), val)
	}
	document, err := vr.ReadDocument()
	if err != nil {
		return err
	}
	decoder, err := dc.LookupDecoder(val.Type().Elem())
	if err != nil {
		return err
	}
	entries := reflect.MakeMap(val.Type())
	for {
		name, item, err := document.ReadElement()
		if errors.Is(err, bson.ErrEOD) {
			val.Set(entries)
			return nil
		}
		if err != nil {
			return err
		}
		element := reflect.New(val.Type().Elem()).Elem()
		key, ok := keyOf(name, val.Type().Key())
		fits := false
		if ok {
			fits, err = decodeFitting(decoder, dc, item, element)
		} else {
			err = leaveOut(item, element)
		}
		if err != nil {
			return err
		}
		if fits {
			entries.SetMapIndex(key, element)
		}
	}
}

// keyOf returns the key that a name stands for, and whether it stands for one.
func keyOf(name string, t reflect.Type) (reflect.Value, bool) {
	if t.Kind() == reflect.String {
		return reflect.ValueOf(name).Convert(t), true
	}
	key := reflect.New(t)
	text, ok := key.Interface().(encoding.TextUnmarshaler)
	return key.Elem(), ok && text.UnmarshalText([]byte(name)) == nil
}
