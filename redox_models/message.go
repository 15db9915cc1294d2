package redox_models

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// MessageEnvelope is a message as the clinic service stores it, in the collection redox. The record is never changed.
type MessageEnvelope struct {
	Id      primitive.ObjectID `bson:"_id"` // its timestamp is the time of receipt
	Meta    Meta               `bson:"meta"`
	Message bson.Raw           `bson:"message"` // all of the message, as it was sent
}

// Meta says what a message is, where it comes from and where it goes. The member Meta of every model can be converted to it,
// which is why what it holds has no names of its own.
type Meta struct {
	DataModel    string `json:"DataModel" bson:"DataModel"`
	Destinations *[]struct {
		ID   *string `json:"ID" bson:"ID"`
		Name *string `json:"Name" bson:"Name"`
	} `json:"Destinations,omitempty" bson:"Destinations,omitempty"`
	EventDateTime *string `json:"EventDateTime" bson:"EventDateTime"`
	EventType     string  `json:"EventType" bson:"EventType"`
	FacilityCode  *string `json:"FacilityCode" bson:"FacilityCode"`
	Logs          *[]struct {
		AttemptID *string `json:"AttemptID" bson:"AttemptID"`
		ID        *string `json:"ID" bson:"ID"`
	} `json:"Logs,omitempty" bson:"Logs,omitempty"`
	Message *struct {
		ID *float32 `json:"ID" bson:"ID"`
	} `json:"Message,omitempty" bson:"Message,omitempty"`
	Source *struct {
		ID   *string `json:"ID" bson:"ID"`
		Name *string `json:"Name" bson:"Name"`
	} `json:"Source,omitempty" bson:"Source,omitempty"`
	Test         *bool `json:"Test" bson:"Test"`
	Transmission *struct {
		ID *float32 `json:"ID" bson:"ID"`
	} `json:"Transmission,omitempty" bson:"Transmission,omitempty"`
}

// IsValid reports whether the message says what it is. Whether anybody knows such messages does not matter.
func (m *Meta) IsValid() bool { return m.DataModel != "" && m.EventType != "" }
