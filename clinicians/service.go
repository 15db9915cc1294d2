package clinicians

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// People knows what users are called.
type People interface {
	// Profile returns an empty profile for a user who has none.
	Profile(ctx context.Context, userID string) (platform.Profile, error)
}

// ServiceAccounts knows the accounts of programs.
type ServiceAccounts interface {
	// ServiceAccountUserID returns an error of kind errs.BadRequest if the credentials are refused.
	ServiceAccountUserID(ctx context.Context, clientID, clientSecret string) (string, error)
}

// Orphans are the patients of clinics that nobody works in any more.
type Orphans interface {
	// RemoveShared removes the patients who only shared their data with the clinic, and keeps those whose accounts it owns.
	RemoveShared(ctx context.Context, clinicID bson.ObjectID) error
}

// Service adds, changes and removes members, and keeps the admins of the clinics in step with their roles.
type Service struct {
	database   *store.Database
	collection *mongo.Collection
	deletions  *store.Deletions
	clinics    *clinics.Service
	people     People
	accounts   ServiceAccounts
	orphans    Orphans
}

// NewService returns the members of the clinics of the database.
func NewService(d *store.Database, clinics *clinics.Service, people People, accounts ServiceAccounts, orphans Orphans) *Service {
	return &Service{
		database: d, collection: d.Collection(CollectionName), deletions: store.NewDeletions(d, CollectionName, "clinician", nil),
		clinics: clinics, people: people, accounts: accounts, orphans: orphans,
	}
}

// settleTime bounds the clean-up after a change, which goes on when the caller has gone.
const settleTime = 10 * time.Second

// updateAdmins makes the admins of the clinic fit a member whose roles were just written, or did not have to be.
func (s *Service) updateAdmins(ctx context.Context, member *Clinician) error {
	switch {
	case member.UserID == nil:
		return nil // an invite makes nobody an admin
	case member.HasRole(RoleAdmin):
		return s.clinics.AddAdmin(ctx, member.ClinicID, *member.UserID)
	default:
		return s.clinics.RemoveAdmin(ctx, member.ClinicID, *member.UserID)
	}
}

// settle makes the admins of the clinic fit what is stored of the user in the end, and returns the outcome of the change
// that it follows. With transactions they always fit. Without, others may have changed the same member in between, or a
// change may have failed half-way, this one or an earlier one that it repeats.
func (s *Service) settle(ctx context.Context, clinicID bson.ObjectID, userID string, outcome error) error {
	if s.database.HasTransactions() {
		return outcome
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	is, err := s.isAdmin(ctx, clinicID, userID)
	for settled := false; err == nil && !settled; {
		if is {
			err = s.clinics.EnsureAdmin(ctx, clinicID, userID)
		} else {
			err = s.clinics.ForgetAdmin(ctx, clinicID, userID)
		}
		if err == nil {
			was := is
			is, err = s.isAdmin(ctx, clinicID, userID)
			settled = is == was
		}
	}
	if outcome != nil {
		return outcome
	}
	return err
}

// isAdmin reports whether the user is a member who has the role.
func (s *Service) isAdmin(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error) {
	membership, err := s.Membership(ctx, clinicID, userID)
	return membership.Admin, err
}
