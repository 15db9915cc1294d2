package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// RecordAll records the deletion of the demo patient, the only one that a clinic which is deleted may have, without removing
// it. A patient who came after the clinic was found empty must not be recorded: the record would make others delete the
// account.
func (r *Repository) RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	if r.demoUserID == "" {
		return nil
	}
	return r.deletionRecords().Record(ctx, r.demoPatient(clinicID), deletedBy)
}

// RemoveAll removes the demo patient, with a record, and returns how many it removed. Others stay, as in RecordAll.
func (r *Repository) RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error) {
	if r.demoUserID == "" {
		return 0, nil
	}
	return r.deletionRecords().Remove(ctx, r.demoPatient(clinicID), deletedBy)
}

func (r *Repository) demoPatient(clinicID bson.ObjectID) bson.D {
	return append(ofClinic(clinicID), bson.E{Key: "userId", Value: r.demoUserID})
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
