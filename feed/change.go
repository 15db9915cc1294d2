package feed

import (
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/xealth"
)

// Change says that something was stored, changed or removed. It holds nothing of a patient but the id.
type Change struct {
	Kind        string   // one of those of kinds
	Operation   string   // insert, update or delete
	ID          string   // of the stored document, in hexadecimal digits
	ClinicID    string   // "" if the change is not of a clinic, or the document has gone without a record
	PatientID   string   // user id of the patient; "" for other kinds
	ClinicianID string   // user id of the member; "" for other kinds, and for an invite
	Fields      []string // names of the changed fields, sorted; nil unless it is an update
	Time        time.Time
	Token       string // by which one goes on after this change
}

// kind is what a collection holds.
type kind struct {
	name string
	// deletions is the collection of records of what was removed, and record where the document stands in them; "" if there are none.
	deletions, record string
}

// kinds are the collections whose changes are told.
var kinds = map[string]kind{
	clinics.CollectionName:       {name: "clinic"},
	patients.CollectionName:      {name: "patient", deletions: patients.DeletionsCollectionName, record: "patient"},
	clinicians.CollectionName:    {name: "clinician", deletions: "clinician_deletions", record: "clinician"},
	redox.MessagesCollectionName: {name: "redoxOrder"},
	xealth.OrdersCollectionName:  {name: "xealthOrder"},
}

// operations are the kinds of events of a change stream that are told, and what they are called.
var operations = map[string]string{"insert": "insert", "update": "update", "replace": "update", "delete": "delete"}

// raw is an event of the change stream, as far as it is looked at.
type raw struct {
	Operation   string         `bson:"operationType"`
	ClusterTime bson.Timestamp `bson:"clusterTime"`
	WallTime    time.Time      `bson:"wallTime"`
	Namespace   struct {
		Collection string `bson:"coll"`
	} `bson:"ns"`
	Key struct {
		ID bson.ObjectID `bson:"_id"`
	} `bson:"documentKey"`
	Document struct {
		ClinicID bson.ObjectID `bson:"clinicId"`
		UserID   string        `bson:"userId"`
		Meta     struct {
			DataModel string `bson:"DataModel"`
			EventType string `bson:"EventType"`
		} `bson:"meta"`
	} `bson:"fullDocument"`
	Description struct {
		Updated   bson.Raw `bson:"updatedFields"`
		Removed   []string `bson:"removedFields"`
		Truncated []struct {
			Field string `bson:"field"`
		} `bson:"truncatedArrays"`
	} `bson:"updateDescription"`
}

// isTold reports whether the event is of a collection that holds only what is told, or about a new order: other messages of
// Redox are stored, and that is all.
func (r raw) isTold() bool {
	meta := r.Document.Meta
	return r.Namespace.Collection != redox.MessagesCollectionName || meta.DataModel == "Order" && meta.EventType == "New"
}

// fields returns the names of the changed fields of an update, without the paths inside them: these are of no use to who does
// not know how things are stored.
func (r raw) fields() []string {
	if r.Operation != "update" {
		return nil
	}
	names := slices.Clone(r.Description.Removed)
	elements, _ := r.Description.Updated.Elements()
	for _, element := range elements {
		names = append(names, element.Key())
	}
	for _, array := range r.Description.Truncated {
		names = append(names, array.Field)
	}
	for i, name := range names {
		names[i], _, _ = strings.Cut(name, ".")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r raw) time() time.Time {
	if !r.WallTime.IsZero() {
		return r.WallTime.UTC()
	}
	return time.Unix(int64(r.ClusterTime.T), 0).UTC()
}

// owner is whose a document is.
type owner struct {
	ClinicID bson.ObjectID `bson:"clinicId"`
	UserID   string        `bson:"userId"`
}
