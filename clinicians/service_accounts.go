package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// AddServiceAccount makes the account of a program a member of the clinic. The secret is used to ask for the id of the
// account and then forgotten. It returns ErrMember if it is a member already, an error of kind errs.BadRequest if the
// credentials are refused, and clinics.ErrNotFound or clinics.ErrNotMigrated.
func (s *Service) AddServiceAccount(ctx context.Context, clinicID bson.ObjectID, name, clientID, clientSecret string) (*Clinician, error) {
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return nil, err
	}
	userID, err := s.accounts.ServiceAccountUserID(ctx, clientID, clientSecret)
	if err != nil {
		return nil, err
	}
	member := Clinician{
		ClinicID: clinicID, UserID: &userID, Name: &name, Roles: []string{RoleMember}, IsServiceAccount: true,
	}
	return &member, s.create(ctx, &member)
}
