package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// AddFounder makes the user for whom a clinic is made its first admin. It does not add the user to the admins of the
// clinic document, which names them from the beginning.
func (s *Service) AddFounder(ctx context.Context, clinicID bson.ObjectID, founder clinics.Founder) error {
	now := store.Now()
	_, err := s.collection.InsertOne(ctx, Clinician{
		ClinicID: clinicID, UserID: &founder.UserID, Email: founder.Email, Name: founder.Name,
		Roles: []string{RoleAdmin}, CreatedTime: now, UpdatedTime: now,
	})
	return store.UnlessMade(ctx, err)
}
