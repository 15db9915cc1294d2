package patients

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// Accounts are the accounts of users.
type Accounts interface {
	// GetUser returns an error of kind errs.NotFound if there is no such user.
	GetUser(ctx context.Context, userID string) (platform.User, error)
	// CreateCustodialUser and UpdateUser take "" for no address, and return an error of kind errs.Duplicate if another
	// account has the address.
	CreateCustodialUser(ctx context.Context, clinicID, email string) (platform.User, error)
	UpdateUser(ctx context.Context, userID, email string) error
}

// Profiles knows what users are called.
type Profiles interface {
	// Profile returns an empty profile for a user who has none.
	Profile(ctx context.Context, userID string) (platform.Profile, error)
}

// Service holds the rules for patients of clinics.
type Service struct {
	*Repository
	clinics   *clinics.Service
	census    *census.Service
	leases    *store.Leases
	creations *mongo.Collection
	accounts  Accounts
	profiles  Profiles
	log       *zap.Logger
}

// NewService returns the rules for the patients in the repository.
func NewService(r *Repository, clinics *clinics.Service, census *census.Service, leases *store.Leases, accounts Accounts, profiles Profiles, log *zap.Logger) *Service {
	return &Service{
		Repository: r, clinics: clinics, census: census, leases: leases, creations: r.database.Collection(creationsCollection),
		accounts: accounts, profiles: profiles, log: log,
	}
}

// finishTime bounds the writes that follow a change in another service. The caller waits for them, and then up to 5 seconds for a
// lease to be given back; its gateway gives up after 15.
const finishTime = 10 * time.Second

// finishing returns a context for what must follow a change in another service although the caller may have gone.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finishTime)
}

// patientKey selects the record of a user in a clinic.
func patientKey(clinicID bson.ObjectID, userID string) bson.D {
	return bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}}
}
