package merge

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

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
	// ErrBehind tells that patients or members came into the source as fast as they were moved. The same call goes on.
	ErrBehind = errs.Because("merge_behind", errs.Conflictf("the source clinic keeps getting new patients or members; repeat the call to go on with the merge"))
)

// Census keeps the numbers of patients of clinics.
type Census interface {
	RecountAfter(ctx context.Context, work func(ctx context.Context) error, clinicID bson.ObjectID, others ...bson.ObjectID) error
}

// Counts knows how many patients of a clinic have each tag and belong to each site.
type Counts interface {
	FillGroups(ctx context.Context, list ...*clinics.Clinic) error
}

// TagChanges are the changes of tags of many patients that are under way.
type TagChanges interface {
	// AwaitTagChanges waits until there is none in the clinics, and returns an error of kind errs.Unavailable if that takes too long.
	AwaitTagChanges(ctx context.Context, clinicIDs ...bson.ObjectID) error
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
	counts     Counts
	tags       TagChanges
	remover    Remover
	demoUserID string // "" means that there is no demo patient
	log        *zap.Logger
	// LeaseTime is how long a merge waits for a process that has died. Tests that do not run two at once make it short.
	LeaseTime time.Duration
}

// NewService returns a service for the clinics of the database.
func NewService(d *store.Database, census Census, counts Counts, tags TagChanges, remover Remover, demo config.Demo, log *zap.Logger) *Service {
	return &Service{
		database: d, clinics: d.Collection(clinics.CollectionName), members: d.Collection(clinicians.CollectionName),
		patients: d.Collection(patients.CollectionName), plans: d.Collection(PlansCollectionName),
		merges: d.Collection(OpenMergesCollectionName), steps: d.Collection(stepsCollectionName),
		census: census, counts: counts, tags: tags, remover: remover, demoUserID: demo.PatientUserID, log: log,
		LeaseTime: defaultLeaseTime,
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
	group, groupCtx := errgroup.WithContext(ctx)
	for _, w := range []*Workspace{source, target} {
		group.Go(func() error { return s.people(groupCtx, w) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return NewPlan(source, target, store.Now()), nil
}
