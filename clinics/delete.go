package clinics

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// closedTime bounds for how long a clinic takes no patients because of a deletion that was cut off.
const closedTime = 30 * time.Second

// Delete removes a clinic that has no patients but the demo patient, together with that one and with all members and
// invites, and records each. deletedBy is the user who asked for it, nil if it was a backend service. It returns
// ErrNotFound or ErrNotEmpty.
//
// All records are written before the first removal. Members go last: without transactions, an admin can so repeat a
// deletion that was cut off, and the repeat completes it.
func (l *Lifecycle) Delete(ctx context.Context, id bson.ObjectID, deletedBy *string) error {
	return l.clinics.database.InTx(ctx, func(ctx context.Context) error {
		clinic, err := l.clinics.collection.FindOne(ctx, byID(id)).Raw()
		if err != nil {
			return l.completeDeletion(ctx, id, deletedBy, err)
		}
		if err := l.clinics.census.Close(ctx, id, closedTime); err != nil {
			return err
		}
		real, err := l.patients.HasRealPatients(ctx, id)
		if err != nil {
			return err
		}
		if real {
			return errors.Join(ErrNotEmpty, l.clinics.census.Open(ctx, id))
		}
		if err := l.clinics.database.Claim(ctx, l.clinics.collection, byID(id)); err != nil {
			return errors.Join(err, l.clinics.census.Open(ctx, id))
		}
		if err := l.recordDeletion(ctx, id, deletedBy); err != nil {
			return err
		}
		if _, err := l.patients.RemoveAll(ctx, id, deletedBy); err != nil {
			return err
		}
		if _, err := l.deletions.RemoveDocuments(ctx, []bson.Raw{clinic}, deletedBy); err != nil {
			return err
		}
		if err := l.clinics.census.Forget(ctx, id); err != nil {
			return err
		}
		_, err = l.members.RemoveAll(ctx, id, deletedBy)
		return err
	})
}

func (l *Lifecycle) recordDeletion(ctx context.Context, id bson.ObjectID, deletedBy *string) error {
	if err := l.patients.RecordAll(ctx, id, deletedBy); err != nil {
		return err
	}
	if err := l.members.RecordAll(ctx, id, deletedBy); err != nil {
		return err
	}
	return l.deletions.Record(ctx, byID(id), deletedBy)
}

// completeDeletion removes the members that a deletion which was cut off left behind. Without such members the clinic is
// simply not there. cause is why it was not read.
func (l *Lifecycle) completeDeletion(ctx context.Context, id bson.ObjectID, deletedBy *string, cause error) error {
	if !store.IsNotFound(cause) {
		return cause
	}
	recorded, err := l.deletions.Recorded(ctx, id)
	if err != nil {
		return err
	}
	if !recorded {
		return ErrNotFound
	}
	if err := l.clinics.census.Forget(ctx, id); err != nil {
		return err
	}
	left, err := l.members.RemoveAll(ctx, id, deletedBy)
	if err == nil && left == 0 {
		return ErrNotFound
	}
	return err
}

// notRecorded reports whether a field of a clinic stays out of its deletion record. COMPAT: fields that are null and the
// latest deleted tag never were in it.
func notRecorded(field bson.RawElement) bool {
	return field.Value().Type == bson.TypeNull || field.Key() == "lastDeletedPatientTag" || field.Key() == "derived"
}

func byID(id bson.ObjectID) bson.D { return bson.D{{Key: "_id", Value: id}} }
