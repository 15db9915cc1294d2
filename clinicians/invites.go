package clinicians

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// Associate turns the invite into a member: the user who accepted it. The name becomes that of the user's profile, if it
// has one. It returns ErrNotFound if the clinic has no such invite, also when it was accepted before, ErrMember if the
// user is a member already, ErrUserID for no user, and clinics.ErrNotFound or clinics.ErrNotMigrated.
func (s *Service) Associate(ctx context.Context, clinicID bson.ObjectID, inviteID, userID string) (*Clinician, error) {
	if userID == "" {
		return nil, ErrUserID
	}
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return nil, err
	}
	profile, err := s.people.Profile(ctx, userID)
	if err != nil {
		return nil, err
	}
	var member *Clinician
	err = s.database.InTx(ctx, func(ctx context.Context) (err error) {
		member, err = s.associate(ctx, clinicID, inviteID, userID, profile.FullName)
		return err
	})
	return member, s.settle(ctx, clinicID, userID, err)
}

func (s *Service) associate(ctx context.Context, clinicID bson.ObjectID, inviteID, userID, fullName string) (*Clinician, error) {
	invite, err := s.GetInvite(ctx, clinicID, inviteID)
	if err != nil {
		return nil, err
	}
	if err := s.requireNoMember(ctx, invite, userID); err != nil {
		return nil, err
	}
	set := bson.D{{Key: "userId", Value: userID}, {Key: "updatedTime", Value: store.Now()}}
	if fullName != "" {
		set = append(set, bson.E{Key: "name", Value: fullName})
	}
	member, err := s.updateOne(ctx, ofInvite(clinicID, inviteID), bson.D{
		{Key: "$set", Value: set}, {Key: "$unset", Value: bson.D{{Key: "inviteId", Value: ""}}},
	}, ErrNotFound)
	if err != nil {
		return nil, err
	}
	if err := s.updateAdmins(ctx, member); err != nil {
		return nil, err
	}
	if invite.UserID != nil && *invite.UserID != userID {
		err = s.clinics.RemoveAdmin(ctx, clinicID, *invite.UserID) // the record was that of another member until now
	}
	return member, err
}

// requireNoMember returns ErrMember if the user has a record in the clinic besides the invite.
func (s *Service) requireNoMember(ctx context.Context, invite *Clinician, userID string) error {
	member, err := s.Get(ctx, invite.ClinicID, userID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case member.ID == invite.ID:
		return nil
	default:
		return ErrMember
	}
}

// DeleteInvite removes the invite without a record. It returns ErrNotFound, and clinics.ErrNotFound or
// clinics.ErrNotMigrated.
func (s *Service) DeleteInvite(ctx context.Context, clinicID bson.ObjectID, inviteID string) error {
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return err
	}
	result, err := s.collection.DeleteOne(ctx, ofInvite(clinicID, inviteID))
	if err == nil && result.DeletedCount == 0 {
		return ErrNotFound
	}
	return err
}
