package migration

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// CollectionName is the collection of migrations.
const CollectionName = "migrations"

// StatusPending is the status of a migration that the worker has not begun. The worker sets the others.
const StatusPending = "PENDING"

// Migration is the stored record of a legacy account that moves into a clinic. An account moves only once.
type Migration struct {
	ID          bson.ObjectID `bson:"_id,omitempty"`
	ClinicID    bson.ObjectID `bson:"clinicId"`
	UserID      string        `bson:"userId"`
	Status      string        `bson:"status"` // PENDING, RUNNING or COMPLETED
	CreatedTime time.Time     `bson:"createdTime"`
	UpdatedTime time.Time     `bson:"updatedTime"`
}

// The errors of this package that callers see as they are.
var (
	ErrNotFound      = errs.Because("migration_not_found", errs.New(errs.NotFound, "migration not found"))
	ErrDuplicate     = errs.Because("migration_exists", errs.New(errs.Duplicate, "migration duplicate"))
	ErrNotClinician  = errs.Because("clinician_not_found", errs.New(errs.NotFound, "clinician not found"))
	ErrSeveralAdmins = errs.Because("several_admins", errs.Constraintf("the clinic must have exactly one admin"))
)
