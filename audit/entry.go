package audit

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// CollectionName is the collection of entries. No other service reads it.
const CollectionName = "audit"

// Outcome is what became of what an entry tells of.
type Outcome string

const (
	// Attempted is the outcome while it is being done, and for good if the process died meanwhile.
	Attempted Outcome = "attempted"
	// Changed means that a transaction committed a change, and that the process died before the answer, or is at it still.
	Changed Outcome = "changed"
	// Done means that the caller got what was asked for.
	Done Outcome = "done"
	// Refused means that the caller was answered with a status of 4xx.
	Refused Outcome = "refused"
	// Failed means that it ended with another error. A part may have happened.
	Failed Outcome = "failed"
)

// Entry is a line of the trail. It is stored before the change that it tells of, and gets its outcome with it, once; nothing else
// changes or removes it before its time has come.
type Entry struct {
	ID        bson.ObjectID `bson:"_id"`
	Time      time.Time     `bson:"time"`
	Operation string        `bson:"operation"` // its id in the interface document
	// UserID is who called, Service the name or id of a backend service that did. Both are empty for partners.
	UserID  string `bson:"userId,omitempty"`
	Service string `bson:"service,omitempty"`
	// What it is about, as far as the request or its answer says.
	ClinicID  *bson.ObjectID `bson:"clinicId,omitempty"`
	PatientID string         `bson:"patientId,omitempty"`
	MemberID  string         `bson:"memberId,omitempty"`
	Outcome   Outcome        `bson:"outcome"`
	Status    int            `bson:"status,omitempty"` // of the answer
	RequestID string         `bson:"requestId"`
	// Fields are the names of those that changed or, where that is not known, that were sent.
	Fields Names `bson:"fields,omitempty"`
	// Expires is when the database removes it.
	Expires time.Time `bson:"expires"`
}

// Names is a list that is left out of a stored entry if it is nil, and kept if it is empty.
type Names []string

// IsZero reports whether the list is to be left out.
func (n Names) IsZero() bool { return n == nil }

// Indexes returns the indexes of the trail.
func Indexes() []store.Indexes {
	return []store.Indexes{{Collection: CollectionName, Indexes: []store.Index{
		{Name: "AuditByClinic", Keys: bson.D{{Key: "clinicId", Value: 1}, {Key: "_id", Value: -1}}},
		{Name: "AuditByPatient", Keys: bson.D{{Key: "patientId", Value: 1}, {Key: "_id", Value: -1}}},
		{Name: "AuditByEnd", Keys: store.Ascending("expires"), ExpireSeconds: 1}, // after the time in it
	}}}
}
