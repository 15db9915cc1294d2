package store

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"
)

// quiet reports nowhere: who decodes a document that was read as it is stored knows which one it is.
var quiet = lenientRegistry(newMisshapen(zap.NewNop()))

// Unmarshal decodes a document as reads do: what is of an unexpected form is absent.
func Unmarshal(document bson.Raw, into any) error {
	decoder := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(document)))
	decoder.SetRegistry(quiet)
	return decoder.Decode(into)
}

// CountMisshapen decodes a document, and returns how many of its values are of an unexpected form. It returns an error if
// nothing can be made of the document.
func CountMisshapen(document bson.Raw, into any) (int, error) {
	found := newMisshapen(zap.NewNop())
	decoder := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(document)))
	decoder.SetRegistry(lenientRegistry(found))
	err := decoder.Decode(into)
	return found.values, err
}
