package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// RemindToUpload asks the patient to upload data and returns the patient, or ErrNotFound. The mail is sent by a service
// that watches lastUploadReminderTime; every call sends one, unless another one with the same plan, or a later one, did.
func (s *Service) RemindToUpload(ctx context.Context, clinicID bson.ObjectID, userID string) (*Patient, error) {
	now := store.EffectTime(ctx)
	key := patientKey(clinicID, userID)
	if store.IsPlanned(ctx) {
		key = append(key, bson.E{Key: "lastUploadReminderTime", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gte", Value: now}}}}})
	}
	return s.change(ctx, key, bson.D{{Key: "$set", Value: bson.D{
		{Key: "lastUploadReminderTime", Value: now},
		{Key: "updatedTime", Value: store.UpdateTime(ctx, now)},
	}}})
}
