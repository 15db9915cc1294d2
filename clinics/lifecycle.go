package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// Accounts knows the accounts of users.
type Accounts interface {
	// GetUser returns an error of kind errs.NotFound if there is no such user.
	GetUser(ctx context.Context, userID string) (platform.User, error)
}

// People knows what users are called.
type People interface {
	// Profile returns an empty profile for a user who has none.
	Profile(ctx context.Context, userID string) (platform.Profile, error)
}

// Founder is the user for whom a clinic is made. Email and Name are nil if they are not known.
type Founder struct {
	UserID string
	Email  *string
	Name   *string
}

// dependents are the documents of another collection that belong to a clinic and go with it.
type dependents interface {
	// RecordAll records the deletion of all of them, so that nothing is deleted without a record.
	RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error
	// RemoveAll removes all of them, recording those that are not recorded yet, and returns their number.
	RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error)
	// Discard removes all of them without a record. It is for a clinic that did not come to be.
	Discard(ctx context.Context, clinicID bson.ObjectID) error
}

// Members are the members and invites of clinics.
type Members interface {
	dependents
	// AddFounder makes the founder an admin of the clinic.
	AddFounder(ctx context.Context, clinicID bson.ObjectID, founder Founder) error
}

// Patients are the patients of clinics.
type Patients interface {
	dependents
	// AddDemoPatient adds the user to the clinic as its demo patient.
	AddDemoPatient(ctx context.Context, clinicID bson.ObjectID, user platform.User, profile platform.Profile) error
	// HasRealPatients reports whether the clinic has patients besides the demo patient.
	HasRealPatients(ctx context.Context, clinicID bson.ObjectID) (bool, error)
}

// Lifecycle makes and deletes clinics together with what belongs to them. It stands apart from Service because the members and
// patients of a clinic ask that one about the clinic.
type Lifecycle struct {
	clinics    *Service
	accounts   Accounts
	people     People
	members    Members
	patients   Patients
	deletions  *store.Deletions
	demoUserID string // "" means that clinics get no demo patient
	// drawShareCode returns a code that a clinic may have already.
	drawShareCode func() string
}

// NewLifecycle returns the rules for the beginning and the end of clinics.
func NewLifecycle(s *Service, accounts Accounts, people People, members Members, patients Patients, demo config.Demo) *Lifecycle {
	return &Lifecycle{
		clinics: s, accounts: accounts, people: people, members: members, patients: patients,
		deletions: store.NewDeletions(s.database, CollectionName, "clinic", notRecorded), demoUserID: demo.PatientUserID,
		drawShareCode: randomShareCode,
	}
}
