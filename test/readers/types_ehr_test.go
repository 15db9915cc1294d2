package readers_test

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type refMessage struct {
	ID   bson.ObjectID `bson:"_id"`
	Meta struct {
		DataModel     string      `bson:"DataModel"`
		EventType     string      `bson:"EventType"`
		EventDateTime *string     `bson:"EventDateTime"`
		FacilityCode  *string     `bson:"FacilityCode"`
		Test          *bool       `bson:"Test"`
		Source        *refParty   `bson:"Source"`
		Destinations  *[]refParty `bson:"Destinations"`
		Logs          *[]struct {
			ID        *string `bson:"ID"`
			AttemptID *string `bson:"AttemptID"`
		} `bson:"Logs"`
		Message      *refSerial `bson:"Message"`
		Transmission *refSerial `bson:"Transmission"`
	} `bson:"meta"`
	Message bson.Raw `bson:"message"`
}

type (
	refParty struct {
		ID   *string `bson:"ID"`
		Name *string `bson:"Name"`
	}
	refSerial struct {
		ID *float32 `bson:"ID"`
	}
)

type refScheduled struct {
	ID                bson.ObjectID  `bson:"_id"`
	UserID            string         `bson:"userId"`
	ClinicID          *bson.ObjectID `bson:"clinicId"`
	CreatedTime       time.Time      `bson:"createdTime"`
	LastMatchedOrder  refMessage     `bson:"lastMatchedOrder"`
	PrecedingDocument *struct {
		ID          bson.ObjectID `bson:"_id"`
		CreatedTime time.Time     `bson:"createdTime"`
	} `bson:"precedingDocument"`
}

type refPlan struct {
	ID     bson.ObjectID `bson:"_id"`
	PlanID bson.ObjectID `bson:"planId"`
	Type   string        `bson:"type"`
	Plan   bson.Raw      `bson:"plan"`
}

// refPlanned are the parts of plans of patients, members and clinics that are documents of their own.
type refPlanned struct {
	SourcePatient *refPatient   `bson:"sourcePatient"`
	TargetPatient *refPatient   `bson:"targetPatient"`
	Clinician     *refClinician `bson:"clinician"`
	Source        *refClinic    `bson:"source"`
	Target        *refClinic    `bson:"target"`
}
