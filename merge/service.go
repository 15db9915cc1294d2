package merge

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// The errors of this package that callers see as they are.
var (
	// ErrBlocked tells that the plan has obstacles; the report names them.
	ErrBlocked = errs.Because("merge_blocked", errs.BadRequestf("the merge plan does not allow execution"))
	// ErrUnderWay tells that another call is carrying out this merge, or that one of the clinics is part of another merge
	// that is not complete.
	ErrUnderWay = errs.Because("merge_under_way", errs.Conflictf("one of the clinics is part of a merge that is under way"))
)

// Census keeps the numbers of patients of clinics.
type Census interface {
	Fresh(ctx context.Context, clinic *clinics.Clinic) error
	Track(ctx context.Context, clinicID bson.ObjectID, write func(ctx context.Context) (clinics.Census, error)) error
	Recount(ctx context.Context, clinicID bson.ObjectID) error
}

// Remover removes a clinic that has no patients but the demo patient, with all that belongs to it, and records each
// deletion. It returns clinics.ErrNotFound if that is done already.
type Remover interface {
	Delete(ctx context.Context, clinicID bson.ObjectID, deletedBy *string) error
}

// Service plans merges of clinics and carries them out.
type Service struct {
	database   *store.Database
	clinics    *mongo.Collection
	members    *mongo.Collection
	patients   *mongo.Collection
	plans      *mongo.Collection
	merges     *mongo.Collection
	steps      *mongo.Collection
	census     Census
	remover    Remover
	demoUserID string // "" means that there is no demo patient
	log        *zap.Logger
	// HoldTime is how long a merge stays held after the last sign of life of the process that carries it out. Tests that do
	// not run two at once make it short.
	HoldTime time.Duration
}

// NewService returns a service for the clinics of the database.
func NewService(d *store.Database, census Census, remover Remover, demo config.Demo, log *zap.Logger) *Service {
	return &Service{
		database: d, clinics: d.Collection(clinics.CollectionName), members: d.Collection(clinicians.CollectionName),
		patients: d.Collection(patients.CollectionName), plans: d.Collection(PlansCollectionName),
		merges: d.Collection(openMergesCollectionName), steps: d.Collection(stepsCollectionName),
		census: census, remover: remover, demoUserID: demo.PatientUserID, log: log,
		HoldTime: defaultHoldTime,
	}
}

// Plan returns the plan for merging the source into the target, without changing anything. It returns clinics.ErrNotFound
// if one of them does not exist.
func (s *Service) Plan(ctx context.Context, sourceID, targetID bson.ObjectID) (*Plan, error) {
	source, err := s.workspace(ctx, sourceID)
	if err != nil {
		return nil, err
	}
	target, err := s.workspace(ctx, targetID)
	if err != nil {
		return nil, err
	}
	for _, w := range []*Workspace{source, target} {
		if err := s.people(ctx, w); err != nil {
			return nil, err
		}
	}
	return NewPlan(source, target, store.Now()), nil
}
