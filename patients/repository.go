package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// ErrNotFound tells that the clinic has no such patient.
var ErrNotFound = errs.Because("patient_not_found", errs.New(errs.NotFound, "patient not found"))

// Repository reads and writes patients.
type Repository struct {
	database   *store.Database
	collection *mongo.Collection
	demoUserID string // "" means that there is no demo patient
}

// NewRepository returns the patients of the database.
func NewRepository(d *store.Database, demo config.Demo) *Repository {
	return &Repository{database: d, collection: d.Collection(CollectionName), demoUserID: demo.PatientUserID}
}

// Get returns the patient, or ErrNotFound.
func (r *Repository) Get(ctx context.Context, clinicID bson.ObjectID, userID string) (*Patient, error) {
	var patient Patient
	err := r.collection.FindOne(ctx, patientKey(clinicID, userID)).Decode(&patient)
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &patient, nil
}

// exists reports whether the user is a patient of the clinic.
func (r *Repository) exists(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error) {
	n, err := r.collection.CountDocuments(ctx, patientKey(clinicID, userID), options.Count().SetLimit(1))
	return n > 0, err
}
