package patients

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
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
	// AnswerTime is how long the request for a change of a tag of many patients waits for its end.
	AnswerTime time.Duration
	// TagInterval is how often Run looks for such changes that were left behind.
	TagInterval time.Duration

	database   *store.Database
	collection *mongo.Collection
	creations  *mongo.Collection
	tagChanges *mongo.Collection
	tagWork    *tagWork
	deletions  *store.Deletions
	leases     *store.Leases
	clinics    *clinics.Service
	census     *census.Service
	accounts   Accounts
	profiles   Profiles
	demoUserID string // "" means that there is no demo patient
	log        *zap.Logger
}

// Params are what the service is made of.
type Params struct {
	fx.In

	Database *store.Database
	Leases   *store.Leases
	Clinics  *clinics.Service
	Census   *census.Service
	Accounts Accounts
	Profiles Profiles
	Demo     config.Demo
	Log      *zap.Logger
}

// NewService returns the patients of the clinics of the database.
func NewService(p Params) *Service {
	return &Service{
		AnswerTime: answerTime, TagInterval: tagInterval,
		database: p.Database, collection: p.Database.Collection(CollectionName), creations: p.Database.Collection(creationsCollection),
		tagChanges: p.Database.Collection(tagChangesCollection), tagWork: newTagWork(),
		deletions: store.NewDeletions(p.Database, CollectionName, "patient", nil), leases: p.Leases,
		clinics: p.Clinics, census: p.Census, accounts: p.Accounts, profiles: p.Profiles, demoUserID: p.Demo.PatientUserID, log: p.Log,
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
