package clinicians

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// RemoveUser removes the user, who left the platform, from all clinics, also as their last admin. From a clinic in which
// nobody is left, the patients who only shared their data go too. It may be repeated after a failure, and goes on where it
// stopped: the patients of a clinic go before its last member, by whom a repeat finds the clinic.
func (s *Service) RemoveUser(ctx context.Context, userID string) error {
	memberships, err := s.stored(ctx, ofUser(userID))
	if err != nil {
		return err
	}
	for _, membership := range memberships {
		if err := s.removeMembership(ctx, membership, userID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) removeMembership(ctx context.Context, membership bson.Raw, userID string) error {
	var member Clinician
	if err := s.database.Unmarshal(membership, &member); err != nil {
		return err
	}
	orphaned, err := s.removeOrphans(ctx, &member)
	if err != nil {
		return err
	}
	err = s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.clinics.ForgetAdmin(ctx, member.ClinicID, userID); err != nil {
			return err
		}
		_, err := s.deletions.RemoveDocuments(ctx, []bson.Raw{membership}, nil)
		return err
	})
	err = s.settle(ctx, member.ClinicID, userID, err)
	if err == nil && !orphaned {
		_, err = s.removeOrphans(ctx, &member) // the others may have been removed at the same time
	}
	return err
}

// removeOrphans removes the patients of a clinic that has no other member or invite, and reports whether that is so.
func (s *Service) removeOrphans(ctx context.Context, member *Clinician) (bool, error) {
	others := append(ofClinic(member.ClinicID), bson.E{Key: "_id", Value: bson.D{{Key: "$ne", Value: member.ID}}})
	n, err := s.collection.CountDocuments(ctx, others, options.Count().SetLimit(1))
	if err != nil || n > 0 {
		return false, err
	}
	return true, s.orphans.RemoveShared(ctx, member.ClinicID)
}

// ChangeEmail changes the address of the user in all clinics. It returns ErrDuplicateEmail, and changes nothing, if it is
// that of another member or invite of one of them.
func (s *Service) ChangeEmail(ctx context.Context, userID, email string) error {
	email = strings.ToLower(email)
	memberships, err := s.find(ctx, ofUser(userID), options.Find().SetProjection(bson.D{{Key: "clinicId", Value: 1}}))
	if err != nil || len(memberships) == 0 {
		return err
	}
	var clinicIDs bson.A
	for _, membership := range memberships {
		clinicIDs = append(clinicIDs, membership.ClinicID)
	}
	taken, err := s.collection.CountDocuments(ctx, bson.D{
		{Key: "clinicId", Value: bson.D{{Key: "$in", Value: clinicIDs}}},
		{Key: "email", Value: email},
		{Key: "userId", Value: bson.D{{Key: "$ne", Value: userID}}},
	}, options.Count().SetLimit(1))
	if err != nil {
		return err
	}
	if taken > 0 {
		return ErrDuplicateEmail
	}
	_, err = s.collection.UpdateMany(ctx, ofUser(userID), bson.D{{Key: "$set", Value: bson.D{
		{Key: "email", Value: email}, {Key: "updatedTime", Value: store.Now()},
	}}})
	return store.OneOf(err, nil, ErrDuplicateEmail)
}
