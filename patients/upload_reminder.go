package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// RemindToUpload asks the patient to upload data and returns the patient, or ErrNotFound. The mail is sent by a service
// that watches lastUploadReminderTime; every call sends one.
func (s *Service) RemindToUpload(ctx context.Context, clinicID bson.ObjectID, userID string) (*Patient, error) {
	now := store.Now()
	return s.change(ctx, patientKey(clinicID, userID), bson.D{{Key: "$set", Value: bson.D{
		{Key: "lastUploadReminderTime", Value: now},
		{Key: "updatedTime", Value: now},
	}}})
}
