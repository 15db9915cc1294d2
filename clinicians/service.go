package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

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
	*Repository
	clinics   *clinics.Repository
	people    People
	accounts  ServiceAccounts
	orphans   Orphans
	deletions *store.Deletions
}

// NewService returns the rules for the members in the repository.
func NewService(r *Repository, clinics *clinics.Repository, people People, accounts ServiceAccounts, orphans Orphans) *Service {
	return &Service{Repository: r, clinics: clinics, people: people, accounts: accounts, orphans: orphans, deletions: r.deletionRecords()}
}

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

// restoreAdmin gives back to a member what a change that failed half-way took away. The error of the change is what
// matters: if this fails too, a repeat of the change puts things right.
func (s *Service) restoreAdmin(ctx context.Context, clinicID bson.ObjectID, userID string) {
	if s.database.HasTransactions() {
		return // nothing was taken away
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
	defer cancel()
	if member, err := s.Get(ctx, clinicID, userID); err == nil && member.HasRole(RoleAdmin) {
		_ = s.clinics.EnsureAdmin(ctx, clinicID, userID)
	}
}
