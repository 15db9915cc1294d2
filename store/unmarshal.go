package store

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"
)

// quiet reports nowhere.
var quiet = lenientRegistry(newMisshapen(zap.NewNop()))

// Unmarshal decodes a document that was read as it is stored, as reads do: what is of an unexpected form is absent, counted, and
// told to the log.
func (d *Database) Unmarshal(document bson.Raw, into any) error {
	return decode(document, d.registry, into)
}

// UnmarshalPart is Unmarshal for a part of a document, of which it does not know to which document it belongs. It tells nobody.
func UnmarshalPart(part bson.Raw, into any) error { return decode(part, quiet, into) }

func decode(document bson.Raw, registry *bson.Registry, into any) error {
	decoder := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(document)))
	decoder.SetRegistry(registry)
	return decoder.Decode(into)
}

// CountMisshapen decodes a document, and returns how many of its values are of an unexpected form. It returns an error if
// nothing can be made of the document.
func CountMisshapen(document bson.Raw, into any) (int, error) {
	found := newMisshapen(zap.NewNop())
	err := decode(document, lenientRegistry(found), into)
	return found.values, err
}
