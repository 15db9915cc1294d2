package census

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The errors of a change that adds a patient.
var (
	// ErrNoClinic tells that the clinic does not exist, or not any more.
	ErrNoClinic = errs.Because("clinic_not_found", errs.New(errs.NotFound, "clinic not found"))
	// ErrClosed tells that the clinic takes no patients any more, because it is being merged into another, or deleted.
	ErrClosed = errs.Because("busy", errs.Unavailablef("the clinic is being merged or deleted; repeat the request"))
	// ErrLimitReached tells that the clinic has as many patients as it may create.
	ErrLimitReached = errs.Because("patient_limit_reached", errs.PaymentRequiredf("patient count exceeds limit"))
)

// Service keeps the numbers of patients of all clinics.
type Service struct {
	// SweepInterval is how often Run looks for notes that were left behind.
	SweepInterval time.Duration

	database   *store.Database
	clinics    *mongo.Collection
	patients   *mongo.Collection
	census     *mongo.Collection
	lookup     *store.Lookup // of the census
	notes      *mongo.Collection
	leases     *store.Leases
	demoUserID string // "" means that there is no demo patient
	counting   singleflight.Group
	background *background
	tallies    Tallies
	log        *zap.Logger
}

// NewService returns the census of the clinics of the database.
func NewService(d *store.Database, leases *store.Leases, demo config.Demo, log *zap.Logger) *Service {
	return &Service{
		SweepInterval: sweepInterval,
		database:      d, clinics: d.Collection(clinicCollection), patients: d.Collection(patientCollection),
		census: d.Collection(CollectionName), lookup: d.Lookup(CollectionName), notes: d.Collection(NotesCollectionName),
		leases: leases, demoUserID: demo.PatientUserID, background: newBackground(), tallies: newTallies(), log: log,
	}
}

// finishTime bounds the writes that follow the one of the caller, and go on when the caller has gone.
const finishTime = 10 * time.Second

// Change runs a write that may change the numbers of a clinic, and adds the difference that the write returns. With
// transactions both happen, or neither; the write may run more than once, and must use the context that it gets. Without, the
// numbers follow the write, and a write whose outcome is not known leads to a recount in the background.
//
// The error is that of the write. A write that adds a patient fails with ErrNoClinic if the clinic is gone, and with ErrClosed
// if it takes no patients; without transactions, the caller has to take the patient out again.
func (s *Service) Change(ctx context.Context, clinicID bson.ObjectID, write func(ctx context.Context) (Count, error)) error {
	if s.database.HasTransactions() {
		return s.database.InTx(ctx, func(ctx context.Context) error {
			difference, err := write(ctx)
			if err != nil {
				return err
			}
			return s.add(ctx, clinicID, difference, terms{newPatient: difference.Total > 0})
		})
	}
	change, err := s.leaveNote(ctx, clinicID, 0)
	if err != nil {
		return err
	}
	return s.follow(ctx, change, write)
}

// follow makes a write without transactions and what comes after it.
func (s *Service) follow(ctx context.Context, change note, write func(ctx context.Context) (Count, error)) error {
	difference, writeErr := write(ctx)
	if errs.Is(writeErr, errs.Internal) && !store.IsRefused(writeErr) {
		return writeErr // whether the write happened is not known: the note stays, and leads to a recount
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	err := s.add(ctx, change.ClinicID, difference.Minus(change.reserved()), terms{newPatient: difference.Total > 0})
	if errors.Is(err, ErrNoClinic) || errors.Is(err, ErrClosed) {
		back := s.add(ctx, change.ClinicID, Count{}.Minus(change.reserved()), terms{})
		if back == nil {
			back = s.removeNote(ctx, change)
		}
		return errors.Join(err, back)
	}
	if err != nil { // COMPAT: that the numbers could not be kept is not the caller's
		s.log.Error("the census of a clinic could not be kept; it will be counted anew", zap.Stringer("clinicId", change.ClinicID), zap.Error(err))
		return writeErr
	}
	if err := s.removeNote(ctx, change); err != nil {
		s.log.Warn("a note of the census was left; its clinic will be counted anew", zap.Stringer("clinicId", change.ClinicID), zap.Error(err))
	}
	return writeErr
}

// errorOf returns the first error that is one.
func errorOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// Groups returns how many patients the clinics have by tag and site. For a clinic whose patients were never counted they are
// counted, and stored in the background. Numbers that another writer may have made old are counted anew in the background.
func (s *Service) Groups(ctx context.Context, clinicIDs []bson.ObjectID) (map[bson.ObjectID]Groups, error) {
	stored, err := s.Look(ctx, clinicIDs)
	if err != nil {
		return nil, err
	}
	groups := make(map[bson.ObjectID]Groups, len(clinicIDs))
	for _, id := range clinicIDs {
		if groups[id], err = s.GroupsOf(ctx, id, stored); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// GroupsOf is Groups of a clinic for whoever has looked already.
func (s *Service) GroupsOf(ctx context.Context, clinicID bson.ObjectID, stored Stored) (Groups, error) {
	found, ok := stored[clinicID]
	if !ok || !found.isCounted() {
		groups, err := s.countOnce(ctx, clinicID)
		if err == nil {
			s.background.want(clinicID, reasonMissing)
		}
		return groups, err
	}
	if time.Since(*found.CountedTime) > maxAge {
		s.background.want(clinicID, reasonStale)
	}
	return found.groups(), nil
}

// countOnce counts the patients of a clinic for everybody who asks for it at the same time. The work goes on when the first of
// them leaves.
func (s *Service) countOnce(ctx context.Context, clinicID bson.ObjectID) (Groups, error) {
	result := s.counting.DoChan(clinicID.Hex(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime)
		defer cancel()
		return s.countPatients(ctx, clinicID)
	})
	select {
	case <-ctx.Done():
		return Groups{}, ctx.Err()
	case counted := <-result:
		count, _ := counted.Val.(Count)
		return count.Groups, counted.Err
	}
}

// PatientCount returns the number that the clinic document holds. If it holds none, or one in an older form, the patients are
// counted and the number is stored, now or, while they change all the time, in the background. It returns ErrNoClinic if there
// is no such clinic.
func (s *Service) PatientCount(ctx context.Context, clinicID bson.ObjectID) (PatientCount, error) {
	for range 2 {
		clinic, err := s.readClinic(ctx, clinicID)
		if err != nil {
			return PatientCount{}, err
		}
		if clinic.hasCount() {
			return *clinic.PatientCount, nil
		}
		drift, err := s.Recount(ctx, clinicID)
		s.tallies.recounted(reasonMissing, drift, err)
		if err != nil && !errors.Is(err, errBusy) {
			return PatientCount{}, err
		}
	}
	s.background.want(clinicID, reasonMissing)
	counted, err := s.countPatients(ctx, clinicID)
	return counted.bounded(Count{}).PatientCount(), err
}

// Start stores the first numbers of a clinic that is about to be made.
func (s *Service) Start(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.census.InsertOne(ctx, document{ID: clinicID, CountedTime: new(store.Now())})
	return store.UnlessMade(ctx, err)
}

// Forget removes the numbers of a clinic that is gone.
func (s *Service) Forget(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.census.DeleteOne(ctx, bson.D{{Key: "_id", Value: clinicID}})
	return err
}
