package redox

import (
	"encoding/json"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

const (
	// documentLimit is the size of the largest document that the database takes.
	documentLimit = 16 << 20
	// copyMargin is what a document that repeats a whole message needs beyond it.
	copyMargin = 16 << 10
	// MessageLimit bounds the stored form of a message, in bytes, so that a copy of it still fits into a document.
	MessageLimit = documentLimit - copyMargin
)

var (
	errMalformed = errs.Because("message_malformed", errs.BadRequestf("the message is not a JSON object with metadata of the documented types"))
	errMetadata  = errs.Because("message_metadata_invalid", errs.BadRequestf("cannot process message with invalid metadata"))
	errContent   = errs.Because("message_unreadable", errs.BadRequestf("unable to unmarshall message"))
	errTooLarge  = errs.Because("message_too_large", errs.TooLargef("the message is too large to be stored"))
)

// parse returns the message that a body holds, without an id. Its errors are of the kinds BadRequest and TooLarge; a
// message without a model or an event comes back with the error, for the log.
//
// The names of Meta and its members are recognised in any case.
func parse(body []byte) (Message, error) {
	var envelope struct{ Meta *Meta }
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Message{}, errs.ReasonOf(errMalformed).Of(errs.Wrap(errs.BadRequest, errMalformed.Error(), err))
	}
	if envelope.Meta == nil {
		return Message{}, errMetadata
	}
	message := Message{Meta: *envelope.Meta}
	if !message.Meta.valid() {
		return message, errMetadata
	}
	content, err := toBSON(body, MessageLimit)
	if err != nil {
		return message, err
	}
	message.Content = content
	return message, nil
}

// encode returns the document to store, or an error of kind TooLarge.
func (m Message) encode() (bson.Raw, error) {
	document, err := bson.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(document) > MessageLimit {
		return nil, errTooLarge
	}
	return document, nil
}
