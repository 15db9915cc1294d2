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
	"github.com/tidepool-org/clinic/roster"
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
	CreateCustodial(ctx context.Context, clinicID bson.ObjectID, details patients.Details, invitedBy *string) (*patients.Patient, error)
	ConnectProvider(ctx context.Context, clinicID bson.ObjectID, userID, provider string) error
}

// Subscriptions switches the reports of a patient on and off.
type Subscriptions interface {
	ChangeSubscription(ctx context.Context, clinicID bson.ObjectID, userID string, change patients.SubscriptionChange) error
}

// Roster finds the patients that an order may mean.
type Roster interface {
	FindByIdentity(ctx context.Context, clinicID bson.ObjectID, who roster.Identity) ([]*patients.Patient, error)
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

// Params are what the service is made of.
type Params struct {
	fx.In

	Config   config.Xealth
	Database *store.Database
	Leases   *store.Leases
	Clinics  Clinics
	Patients Patients
	// Subscriptions are those of the patients.
	Subscriptions Subscriptions
	Roster        Roster
	Users         Users
	Tokens        Tokens
	Source        OrderSource
	Log           *zap.Logger
}

// Service answers Xealth, and opens reports.
type Service struct {
	clinics       Clinics
	patients      Patients
	subscriptions Subscriptions
	roster        Roster
	users         Users
	tokens        Tokens
	source        OrderSource

	preorders preorders
	events    events
	views     views
	leases    *store.Leases
	tallies   Tallies

	enabled        bool
	applicationURL string // without a slash at the end
	now            func() time.Time
	log            *zap.Logger
}

// NewService returns the service. It calls nobody before it is asked to.
func NewService(p Params) *Service {
	return &Service{
		clinics: p.Clinics, patients: p.Patients, subscriptions: p.Subscriptions, roster: p.Roster, users: p.Users, tokens: p.Tokens, source: p.Source,
		preorders:      preorders{p.Database.Collection(preorderCollection)},
		events:         events{p.Database.Collection(eventCollection)},
		views:          views{p.Database.Collection(viewCollection)},
		leases:         p.Leases,
		tallies:        newTallies(),
		enabled:        p.Config.Enabled,
		applicationURL: strings.TrimRight(p.Config.ApplicationURL, "/"),
		now:            time.Now,
		log:            p.Log,
	}
}
