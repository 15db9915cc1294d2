package xealth

import (
	"encoding/json"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Request is a message of Xealth about a patient. Members that are not named here are ignored.
type Request struct {
	// EventType and EventContext say what is going on while an order is placed. Other messages may have them, too.
	EventType    string `json:"eventType"`
	EventContext string `json:"eventContext"`
	// FormData is what was entered while an order is placed, nil as long as nothing was.
	FormData *FormData `json:"formData"`

	Deployment      string          `json:"deployment"`
	ProgramID       string          `json:"programId"`
	PatientIdentity PatientIdentity `json:"patientIdentity"`
	Datasets        *Datasets       `json:"datasets"`
}

// PatientIdentity holds the identifiers by which a health record knows a patient.
type PatientIdentity struct {
	IDs []Identifier `json:"ids"`
	// HistoricalIDs are those that the health record has replaced.
	HistoricalIDs replaced `json:"historicalIds"`
}

// replaced holds identifiers. They are none if they come in a form that is not expected: an order does not fail by what it can
// do without.
type replaced []Identifier

// UnmarshalJSON never fails.
func (r *replaced) UnmarshalJSON(data []byte) error {
	var list []Identifier
	if json.Unmarshal(data, &list) == nil {
		*r = list
	}
	return nil
}

// Identifier is one of them. Type says which number it is, such as MRN.
type Identifier struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Datasets are what a health record says about a patient, and about the user who asks.
type Datasets struct {
	Demographics *Demographics `json:"demographicsV1"`
	EHRUser      *EHRUser      `json:"ehrUserV1"`
}

// EHRUser is a user of a health record. The ids have nothing to do with those of platform users.
type EHRUser struct {
	UserID      *string `json:"userId"`
	SystemLogin *string `json:"systemLogin"`
}

// FormData is a filled-in form.
type FormData struct {
	DataTrackingID string     `json:"dataTrackingId"`
	Canceled       bool       `json:"canceled"`
	UserInput      Submission `json:"userInput"`
}

// Order is the part of an order that is used here.
type Order struct {
	OrderInfo struct {
		Deployment string `json:"deployment"`
		OrderID    string `json:"orderId"`
	} `json:"orderInfo"`
	Preorder *struct {
		DataTrackingID *string `json:"dataTrackingId"`
	} `json:"preorder"`
	PatientIdentity PatientIdentity `json:"patientIdentity"`
	Datasets        *Datasets       `json:"datasets"`

	document bson.D // all that is stored of it
}

// trackingID returns what ties the order to a filled-in form. It is false for an order that was placed without a form.
func (o Order) trackingID() (string, bool) {
	if o.Preorder == nil || o.Preorder.DataTrackingID == nil {
		return "", false
	}
	return *o.Preorder.DataTrackingID, true
}

// Date is a calendar date, as YYYY-MM-DD.
type Date string

// UnmarshalJSON accepts an existing day only. The error does not repeat the value, which may be a birth date.
func (d *Date) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return errors.New("a date is not an existing day in the form YYYY-MM-DD")
	}
	*d = Date(text)
	return nil
}

// midnight returns the beginning of the day in UTC.
func (d Date) midnight() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // was checked when it was read
	return t
}
