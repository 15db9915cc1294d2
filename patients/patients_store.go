package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// ErrNotFound tells that the clinic has no such patient.
var ErrNotFound = errs.Because("patient_not_found", errs.New(errs.NotFound, "patient not found"))

// Get returns the patient, or ErrNotFound.
func (s *Service) Get(ctx context.Context, clinicID bson.ObjectID, userID string) (*Patient, error) {
	return s.find(ctx, clinicID, userID, options.FindOne())
}

// GetByID returns the patient of the clinic with the id of the record, or ErrNotFound.
func (s *Service) GetByID(ctx context.Context, clinicID, id bson.ObjectID) (*Patient, error) {
	var patient Patient
	err := s.collection.FindOne(ctx, append(ofClinic(clinicID), bson.E{Key: "_id", Value: id})).Decode(&patient)
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &patient, nil
}

// Hold returns a context under which the patient is updated, or removed, only while they are what is stored now; see store.Hold.
// The error is ErrNotFound if there is no such patient.
func (s *Service) Hold(ctx context.Context, clinicID bson.ObjectID, userID string) (context.Context, error) {
	held, err := store.Hold(ctx, s.collection, patientKey(clinicID, userID))
	return held, store.OneOf(err, ErrNotFound, nil)
}

// beforeUpdate returns the patient without the statistics, which are most of a record and which no update looks at, or
// ErrNotFound.
func (s *Service) beforeUpdate(ctx context.Context, clinicID bson.ObjectID, userID string) (*Patient, error) {
	return s.find(ctx, clinicID, userID, options.FindOne().SetProjection(bson.D{{Key: "summary", Value: 0}}))
}

func (s *Service) find(ctx context.Context, clinicID bson.ObjectID, userID string, how *options.FindOneOptionsBuilder) (*Patient, error) {
	var patient Patient
	if err := s.collection.FindOne(ctx, patientKey(clinicID, userID), how).Decode(&patient); err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &patient, nil
}

// exists reports whether the user is a patient of the clinic.
func (s *Service) exists(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, patientKey(clinicID, userID), options.Count().SetLimit(1))
	return n > 0, err
}
