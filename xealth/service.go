package xealth

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Clinics finds clinics.
type Clinics interface {
	Get(ctx context.Context, id bson.ObjectID) (*clinics.Clinic, error)
	FindByEHRSource(ctx context.Context, provider, sourceID string) (*clinics.Clinic, error)
}

// Patients finds, adds and changes patients.
type Patients interface {
	Get(ctx context.Context, clinicID bson.ObjectID, userID string) (*patients.Patient, error)
	FindByIdentity(ctx context.Context, clinicID bson.ObjectID, who patients.Identity) ([]*patients.Patient, error)
	CreateCustodial(ctx context.Context, clinicID bson.ObjectID, details patients.Details, invitedBy *string) (*patients.Patient, error)
	ConnectProvider(ctx context.Context, clinicID bson.ObjectID, userID, provider string) error
	ChangeSubscription(ctx context.Context, clinicID bson.ObjectID, userID string, change patients.SubscriptionChange) error
}

// Users finds accounts.
type Users interface {
	GetUser(ctx context.Context, idOrEmail string) (platform.User, error)
}

// Tokens makes and finds the tokens that open a report.
type Tokens interface {
	CreateRestrictedToken(ctx context.Context, userID string) (platform.RestrictedToken, error)
	GetRestrictedToken(ctx context.Context, id string) (platform.RestrictedToken, error)
}

// OrderSource reads orders at Xealth.
type OrderSource interface {
	Order(ctx context.Context, deployment, orderID string) (json.RawMessage, error)
}

// leases lets one process at a time work on what a name stands for, across all processes that share the database.
type leases interface {
	// Acquire waits for the lease. It returns the context in which the work is to be done, which ends before the lease does,
	// and a function that gives the lease back; or an error of kind Unavailable if that takes too long.
	Acquire(ctx context.Context, name string) (context.Context, func(), error)
}

// Params are what the service is made of.
type Params struct {
	fx.In

	Config   config.Xealth
	Database *store.Database
	Clinics  Clinics
	Patients Patients
	Users    Users
	Tokens   Tokens
	Source   OrderSource
	Log      *zap.Logger
}

// Service answers Xealth, and opens reports.
type Service struct {
	clinics  Clinics
	patients Patients
	users    Users
	tokens   Tokens
	source   OrderSource

	preorders preorders
	events    events
	views     views
	leases    leases

	applicationURL string // without a slash at the end
	now            func() time.Time
	log            *zap.Logger
}

// NewService returns the service. It calls nobody before it is asked to.
func NewService(p Params) *Service {
	return &Service{
		clinics: p.Clinics, patients: p.Patients, users: p.Users, tokens: p.Tokens, source: p.Source,
		preorders:      preorders{p.Database.Collection(preorderCollection)},
		events:         events{p.Database.Collection(eventCollection)},
		views:          views{p.Database.Collection(viewCollection)},
		leases:         turns{p.Database.Collection(turnCollection), turnPatience, p.Log},
		applicationURL: strings.TrimRight(p.Config.ApplicationURL, "/"),
		now:            time.Now,
		log:            p.Log,
	}
}
