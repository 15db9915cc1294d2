package migration

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// Clinics are the clinics that accounts move into.
type Clinics interface {
	// Get returns an error of kind errs.NotFound if there is no such clinic.
	Get(ctx context.Context, id bson.ObjectID) (*clinics.Clinic, error)
	// RequireMigrated returns an error unless accounts may move into the clinic.
	RequireMigrated(ctx context.Context, id bson.ObjectID) error
	// SetMigrated marks the clinic as migrated.
	SetMigrated(ctx context.Context, id bson.ObjectID) error
}

// LegacyAccounts are the accounts that may move.
type LegacyAccounts interface {
	// RequireLegacyAccount returns an error unless the account of the user stands for a clinic.
	RequireLegacyAccount(ctx context.Context, userID string) error
}

// Members are the members of clinics.
type Members interface {
	// Exists reports whether the user is a member of the clinic in any role.
	Exists(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error)
}

// Service starts migrations, and notes how far they are.
type Service struct {
	database   *store.Database
	collection *mongo.Collection
	clinics    Clinics
	accounts   LegacyAccounts
	members    Members
}

// NewService returns the migrations of the database.
func NewService(d *store.Database, c Clinics, accounts LegacyAccounts, members Members) *Service {
	return &Service{database: d, collection: d.Collection(CollectionName), clinics: c, accounts: accounts, members: members}
}

// TriggerInitial marks the clinic as migrated and starts the migration of its only admin, whose legacy account the clinic
// was made for. The error is of kind errs.NotFound if there is no such clinic or account, ErrDuplicate if the account moved
// already, and of kind errs.Constraint if the clinic is migrated, its profile is not complete, it has several admins, or
// the account is no legacy account.
func (s *Service) TriggerInitial(ctx context.Context, clinicID bson.ObjectID) (*Migration, error) {
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	switch {
	case clinic.IsMigrated:
		return nil, clinics.ErrAlreadyMigrated
	case !clinic.CanMigrate():
		return nil, clinics.ErrIncompleteProfile
	case len(clinic.Admins) > 1:
		return nil, ErrSeveralAdmins
	}
	userID := clinic.Admins[0]
	if err := s.accounts.RequireLegacyAccount(ctx, userID); err != nil {
		return nil, err
	}
	return s.start(ctx, clinicID, userID)
}

// start takes up a migration that is there already: without transactions, an earlier attempt may have been cut off before
// it marked the clinic.
func (s *Service) start(ctx context.Context, clinicID bson.ObjectID, userID string) (*Migration, error) {
	existing, err := s.Get(ctx, clinicID, userID)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	migration := existing
	err = s.database.InTx(ctx, func(ctx context.Context) (err error) {
		if existing == nil {
			if migration, err = s.insert(ctx, clinicID, userID); err != nil {
				return err
			}
		}
		return s.clinics.SetMigrated(ctx, clinicID)
	})
	if err != nil {
		return nil, err
	}
	return migration, nil
}

// MigrateLegacyClinician starts the migration of the legacy account of a further member of the clinic. It returns
// ErrNotClinician if the user is no member, ErrDuplicate if the account moved already, and an error of kind
// errs.Constraint if the clinic is not migrated.
func (s *Service) MigrateLegacyClinician(ctx context.Context, clinicID bson.ObjectID, userID string) (*Migration, error) {
	member, err := s.members.Exists(ctx, clinicID, userID)
	if err != nil {
		return nil, err
	}
	if !member {
		return nil, ErrNotClinician
	}
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return nil, err
	}
	return s.insert(ctx, clinicID, userID)
}
