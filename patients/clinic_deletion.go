package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// RecordAll records the deletion of all patients of the clinic, without removing any.
func (r *Repository) RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	return r.deletionRecords().Record(ctx, ofClinic(clinicID), deletedBy)
}

// RemoveAll removes all patients of the clinic, each with a record, and returns their number.
func (r *Repository) RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error) {
	return r.deletionRecords().Remove(ctx, ofClinic(clinicID), deletedBy)
}

// Discard removes all patients of a clinic that did not come to be, without a record.
func (r *Repository) Discard(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := r.collection.DeleteMany(ctx, ofClinic(clinicID))
	return err
}

func (r *Repository) deletionRecords() *store.Deletions {
	return store.NewDeletions(r.database, CollectionName, "patient", nil)
}

func ofClinic(clinicID bson.ObjectID) bson.D { return bson.D{{Key: "clinicId", Value: clinicID}} }

// HasRealPatients reports whether the clinic has patients besides the demo patient.
func (r *Repository) HasRealPatients(ctx context.Context, clinicID bson.ObjectID) (bool, error) {
	filter := ofClinic(clinicID)
	if r.demoUserID != "" {
		filter = append(filter, bson.E{Key: "userId", Value: bson.D{{Key: "$ne", Value: r.demoUserID}}})
	}
	n, err := r.collection.CountDocuments(ctx, filter, options.Count().SetLimit(1))
	return n > 0, err
}
