package redox

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/nonblank"
)

// storedMessage is what this package reads of a stored message. What is stored in another form than the one that intake
// writes counts as absent, so that such a message is judged like one that was sent without it.
type storedMessage struct {
	ID bson.ObjectID
	// Meta and Content are as they are stored; nil if absent.
	Meta    bson.Raw
	Content bson.Raw

	SourceID     string // "" if absent
	RedeliveryOf *bson.ObjectID
	ReplayOf     *bson.ObjectID
}

// order returns the payload.
func (m storedMessage) order() order { return order{m.Content} }

// copyable reports whether the worker can read a copy of the message.
func (m storedMessage) copyable() bool { return m.Meta != nil && m.Content != nil }

// readMessage returns the message and the names of members that have an unexpected form.
func readMessage(document bson.Raw) (storedMessage, []string) {
	r := reader{document: document}
	var m storedMessage
	m.ID, _ = document.Lookup("_id").ObjectIDOK()
	m.Meta = required(&r, bson.RawValue.DocumentOK, "meta")
	m.Content = required(&r, bson.RawValue.DocumentOK, "message")
	if source := optional(&r, bson.RawValue.DocumentOK, "meta", "Source"); source != nil {
		m.SourceID = nonblank.First(optional(&r, bson.RawValue.StringValueOK, "meta", "Source", "ID"))
	}
	if derived := optional(&r, bson.RawValue.DocumentOK, "derived"); derived != nil {
		m.RedeliveryOf = optionalID(&r, "derived", "redeliveryOf")
		m.ReplayOf = optionalID(&r, "derived", "replayOf")
	}
	return m, r.odd
}

// delivery returns the id of the message that was delivered first under the same log id.
func (m storedMessage) delivery() bson.ObjectID {
	switch {
	case m.ReplayOf != nil:
		return *m.ReplayOf
	case m.RedeliveryOf != nil:
		return *m.RedeliveryOf
	default:
		return m.ID
	}
}

// optionalID returns the id at a path, nil if there is none.
func optionalID(r *reader, path ...string) *bson.ObjectID {
	id := optional(r, bson.RawValue.ObjectIDOK, path...)
	if id.IsZero() {
		return nil
	}
	return &id
}

// reader notes what it could not make sense of.
type reader struct {
	document bson.Raw
	odd      []string
}

// required returns the value at a path that every message has.
func required[T any](r *reader, as func(bson.RawValue) (T, bool), path ...string) T {
	value, ok := as(r.document.Lookup(path...))
	if !ok {
		r.odd = append(r.odd, name(path))
	}
	return value
}

// optional returns the value at a path, and the zero value if there is none, or null.
func optional[T any](r *reader, as func(bson.RawValue) (T, bool), path ...string) T {
	if present(r.document.Lookup(path...)).IsZero() {
		var none T
		return none
	}
	return required(r, as, path...)
}
