package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// RecordAll records the deletion of all members and invites of the clinic, without removing any.
func (r *Repository) RecordAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error {
	return r.deletionRecords().Record(ctx, ofClinic(clinicID), deletedBy)
}

// RemoveAll removes all members and invites of the clinic, each with a record, and returns their number.
func (r *Repository) RemoveAll(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) (int, error) {
	return r.deletionRecords().Remove(ctx, ofClinic(clinicID), deletedBy)
}

// Discard removes all members and invites of a clinic that did not come to be, without a record.
func (r *Repository) Discard(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := r.collection.DeleteMany(ctx, ofClinic(clinicID))
	return err
}

func (r *Repository) deletionRecords() *store.Deletions {
	return store.NewDeletions(r.database, CollectionName, "clinician", nil)
}

func ofClinic(clinicID bson.ObjectID) bson.D { return bson.D{{Key: "clinicId", Value: clinicID}} }
