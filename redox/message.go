package redox

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/nonblank"
)

// Message is the stored record of a message from Redox. COMPAT: the worker acts on every change of such a record, so that
// it is written once and never updated.
type Message struct {
	ID      bson.ObjectID `bson:"_id"` // its timestamp is the only record of the time of receipt
	Meta    Meta          `bson:"meta"`
	Content bson.Raw      `bson:"message"` // the whole payload, as it was sent
	Derived *Derived      `bson:"derived,omitempty"`
}

// Derived is what this service adds to a message for itself.
type Derived struct {
	// RedeliveryOf is the message that Redox sent before under the same log id. A redelivery need not be acted upon.
	RedeliveryOf *bson.ObjectID `bson:"redeliveryOf,omitempty"`
	// ReplayOf is the first delivery of the message, of which this is a copy that somebody had made so that it acts.
	ReplayOf *bson.ObjectID `bson:"replayOf,omitempty"`
}

// Meta is the part of a message that says what it is and where it comes from. Members that this service does not know stay
// in the payload only. COMPAT: members are named as Redox names them, also in the store; nil pointers are stored as null,
// nil lists and structs not at all.
type Meta struct {
	DataModel     string      `json:"DataModel" bson:"DataModel"`
	EventType     string      `json:"EventType" bson:"EventType"`
	EventDateTime *string     `json:"EventDateTime" bson:"EventDateTime"`
	FacilityCode  *string     `json:"FacilityCode" bson:"FacilityCode"`
	Test          *bool       `json:"Test" bson:"Test"`
	Source        *Party      `json:"Source,omitempty" bson:"Source,omitempty"`
	Destinations  Parties     `json:"Destinations,omitempty" bson:"Destinations,omitempty"`
	Logs          Logs        `json:"Logs,omitempty" bson:"Logs,omitempty"`
	Message       *Identifier `json:"Message,omitempty" bson:"Message,omitempty"`
	Transmission  *Identifier `json:"Transmission,omitempty" bson:"Transmission,omitempty"`
}

// Party is a sender or receiver at Redox.
type Party struct {
	ID   *string `json:"ID" bson:"ID"`
	Name *string `json:"Name" bson:"Name"`
}

// Log refers to an entry of the log at Redox.
type Log struct {
	ID        *string `json:"ID" bson:"ID"`
	AttemptID *string `json:"AttemptID" bson:"AttemptID"`
}

// Identifier is a number that Redox gave. COMPAT: it is stored as the nearest number that 32 bits can hold, as which the worker
// reads it; its queue stops at any other double. The payload has the exact number.
type Identifier struct {
	ID *float32 `json:"ID" bson:"ID"`
}

// Parties is a list that is left out of a stored document if it is nil, and kept if it is empty.
type Parties []Party

// IsZero reports whether the list is to be left out.
func (p Parties) IsZero() bool { return p == nil }

// Logs is a list that is left out of a stored document if it is nil, and kept if it is empty.
type Logs []Log

// IsZero reports whether the list is to be left out.
func (l Logs) IsZero() bool { return l == nil }

// valid reports whether the message says what it is. Whether anybody knows such messages does not matter.
func (m Meta) valid() bool { return nonblank.Is(m.DataModel) && nonblank.Is(m.EventType) }

// logID returns the id under which Redox keeps the delivery, which is the same when it delivers again: the first that says
// something; "" if there is none.
func (m Meta) logID() string {
	for _, log := range m.Logs {
		if log.ID != nil && nonblank.Is(*log.ID) {
			return *log.ID
		}
	}
	return ""
}

// The only messages that are ever acted upon are new orders.
const (
	dataModelOrder = "Order"
	eventTypeNew   = "New"
)
