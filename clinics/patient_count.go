package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// PatientCount returns the stored count of the clinic. If there is none, or one in an older form, the patients are counted
// and the count is stored. It returns ErrNotFound if there is no such clinic.
func (k *CensusKeeper) PatientCount(ctx context.Context, clinicID bson.ObjectID) (PatientCount, error) {
	clinic, err := k.read(ctx, clinicID)
	if err != nil {
		return PatientCount{}, store.OneOf(err, ErrNotFound, nil)
	}
	if clinic.PatientCount == nil || clinic.PatientCount.LegacyPatientCount != nil {
		if err := k.Fresh(ctx, clinic); err != nil {
			return PatientCount{}, err
		}
	}
	return *clinic.PatientCount, nil
}
