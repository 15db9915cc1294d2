package clinics

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// PatientCounter counts the patients of a clinic one by one.
type PatientCounter interface {
	CountPatients(ctx context.Context, clinicID bson.ObjectID) (Census, error)
}

// CensusKeeper keeps the census in the clinic documents true, so that reading a clinic never reads its patients.
//
// Every write that can change the census runs inside Track, which adds the difference that the write makes. Before the
// write it leaves a note in a collection of its own; if the process dies, the note stays, and Sweep counts the patients of
// the clinic anew. An older writer, which knows nothing of this, can leave the census stale; that is noticed by its age.
type CensusKeeper struct {
	clinics    *mongo.Collection
	notes      *mongo.Collection
	counter    PatientCounter
	log        *zap.Logger
	recounting singleflight.Group
	background chan struct{} // holds a token for each recount that nobody waits for
	// Patience is how old a note must be to count as left behind by a dead process.
	Patience time.Duration
}

// NotesCollectionName is the collection of notes about changes of a census that are under way. No other service reads it.
const NotesCollectionName = "census_changes"

const (
	defaultPatience = time.Minute
	// maxAge is the age at which a census is counted anew although nothing seems to be wrong.
	maxAge = 15 * time.Minute
	// maxBackground bounds how many recounts run that nobody waits for: a list of clinics can want one for each.
	maxBackground = 2
	// attempts bounds how often a change is tried again because another one came first.
	attempts = 20
	// finishTime bounds the bookkeeping after a write, which goes on when the caller has gone.
	finishTime = 30 * time.Second
)

// NewCensusKeeper returns a keeper for all clinics of the database.
func NewCensusKeeper(d *store.Database, counter PatientCounter, log *zap.Logger) *CensusKeeper {
	return &CensusKeeper{
		clinics: d.Collection(CollectionName), notes: d.Collection(NotesCollectionName),
		counter: counter, log: log, Patience: defaultPatience, background: make(chan struct{}, maxBackground),
	}
}

type note struct {
	ID       bson.ObjectID `bson:"_id"`
	ClinicID bson.ObjectID `bson:"clinicId"`
	Time     time.Time     `bson:"time"`
}

// Track runs a write that may change the census of a clinic and adds the difference that it returns. The error is that of
// the write: COMPAT: a failure to keep the census is logged and healed later, but never fails the request.
func (k *CensusKeeper) Track(ctx context.Context, clinicID bson.ObjectID, write func(ctx context.Context) (Census, error)) error {
	mark := note{ID: bson.NewObjectID(), ClinicID: clinicID, Time: store.Now()}
	if _, err := k.notes.InsertOne(ctx, mark); err != nil {
		return err
	}
	before, err := k.read(ctx, clinicID)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	stop := k.keepFresh(ctx, mark)
	difference, writeErr := write(ctx)
	stop()
	if errs.Is(writeErr, errs.Internal) {
		return writeErr // whether the write happened is not known: the note stays, and Sweep counts
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	if err := k.finish(ctx, mark, before, difference); err != nil {
		k.log.Error("the census of a clinic could not be kept; it will be counted anew", zap.String("clinicId", clinicID.Hex()), zap.Error(err))
	}
	return writeErr
}

// keepFresh renews a note until the returned function is called, so that Sweep does not take a write that lasts long, such as
// a merge, for one whose process died.
func (k *CensusKeeper) keepFresh(ctx context.Context, mark note) (stop func()) {
	if k.Patience <= 0 || mongo.SessionFromContext(ctx) != nil { // a transaction never lasts that long
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(k.Patience / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				// A failure is made good by the next renewal, or by a count more than needed.
				_, _ = k.notes.UpdateByID(ctx, mark.ID, bson.D{{Key: "$currentDate", Value: bson.D{{Key: "time", Value: true}}}})
			}
		}
	}()
	return func() {
		cancel()
		<-stopped
	}
}

func (k *CensusKeeper) finish(ctx context.Context, mark note, before *Clinic, difference Census) error {
	left, err := k.leftBehind(ctx, mark)
	if err != nil {
		return err
	}
	if left {
		err = k.Recount(ctx, mark.ClinicID)
	} else {
		err = k.add(ctx, mark.ClinicID, before, difference)
	}
	if err != nil && !errs.Is(err, errs.NotFound) { // without the clinic, there is no census to keep
		return err
	}
	_, err = k.notes.DeleteOne(ctx, bson.D{{Key: "_id", Value: mark.ID}})
	return err
}

// leftBehind reports whether a process died while it changed the same clinic.
func (k *CensusKeeper) leftBehind(ctx context.Context, mark note) (bool, error) {
	n, err := k.notes.CountDocuments(ctx, bson.D{
		{Key: "clinicId", Value: mark.ClinicID},
		{Key: "_id", Value: bson.D{{Key: "$ne", Value: mark.ID}}},
		{Key: "time", Value: bson.D{{Key: "$lt", Value: store.Now().Add(-k.Patience)}}},
	}, options.Count().SetLimit(1))
	return n > 0, err
}

func (k *CensusKeeper) add(ctx context.Context, clinicID bson.ObjectID, before *Clinic, difference Census) error {
	if difference.IsZero() {
		return k.touch(ctx, clinicID)
	}
	for range attempts {
		clinic, err := k.read(ctx, clinicID)
		if err != nil {
			return store.OneOf(err, ErrNotFound, nil)
		}
		census, ok := clinic.census()
		// A recount since the write began may or may not have seen the write.
		if !ok || clinic.recounts() != before.recounts() {
			return k.Recount(ctx, clinicID)
		}
		stored := *clinic.Derived.Census
		if done, err := k.replace(ctx, clinic, census.Plus(difference), stored); err != nil || done {
			return err
		}
	}
	return errors.New("the census changed too often")
}

// Touch does what Track does for a write that surely leaves the census as it is: it sets the time at which the clinic last
// changed. COMPAT: a failure is logged, but is not the caller's.
func (k *CensusKeeper) Touch(ctx context.Context, clinicID bson.ObjectID) {
	if err := k.touch(ctx, clinicID); err != nil {
		k.log.Warn("the time of the last change of a clinic could not be set", zap.String("clinicId", clinicID.Hex()), zap.Error(err))
	}
}

func (k *CensusKeeper) touch(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := k.clinics.UpdateByID(ctx, clinicID, bson.D{{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}}})
	return err
}

// Recount counts the patients of the clinic and stores the result. It returns ErrNotFound if there is no such clinic.
func (k *CensusKeeper) Recount(ctx context.Context, clinicID bson.ObjectID) error {
	for range attempts {
		clinic, err := k.read(ctx, clinicID)
		if err != nil {
			return store.OneOf(err, ErrNotFound, nil)
		}
		started := store.Now()
		census, err := k.counter.CountPatients(ctx, clinicID)
		if err != nil {
			return err
		}
		stored := StoredCensus{CountedTime: started, Recount: clinic.recounts() + 1}
		if clinic.Derived != nil && clinic.Derived.Census != nil {
			stored.Change = clinic.Derived.Census.Change
		}
		if done, err := k.replace(ctx, clinic, census, stored); err != nil || done {
			return err
		}
	}
	return errors.New("the census changed too often")
}

// replace stores a census unless another change came first, and reports whether it did.
func (k *CensusKeeper) replace(ctx context.Context, clinic *Clinic, census Census, stored StoredCensus) (bool, error) {
	filter := bson.D{{Key: "_id", Value: clinic.ID}, {Key: "derived.census", Value: bson.D{{Key: "$exists", Value: false}}}}
	if clinic.Derived != nil && clinic.Derived.Census != nil {
		filter[1] = bson.E{Key: "derived.census.change", Value: clinic.Derived.Census.Change}
	}
	stored.Tags, stored.Sites = census.Tags, census.Sites
	stored.Change++
	result, err := k.clinics.UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: bson.D{
		{Key: "patientCount", Value: census.PatientCount()},
		{Key: "derived.census", Value: stored},
		{Key: "updatedTime", Value: store.Now()},
	}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// Fresh makes sure that the clinic, as it was just read, holds a census, counting the patients if it does not. A census
// that is old is counted anew in the background.
func (k *CensusKeeper) Fresh(ctx context.Context, clinic *Clinic) error {
	if _, ok := clinic.census(); ok {
		if store.Now().Sub(clinic.Derived.Census.CountedTime) > maxAge {
			k.recountLater(ctx, clinic.ID)
		}
		return nil
	}
	if err := k.recountOnce(ctx, clinic.ID); err != nil {
		return err
	}
	counted, err := k.read(ctx, clinic.ID)
	if err != nil {
		return store.OneOf(err, ErrNotFound, nil)
	}
	clinic.PatientCount, clinic.Derived = counted.PatientCount, counted.Derived
	return nil
}

// recountLater does nothing if enough recounts are running: the clinic stays old and is noticed again.
func (k *CensusKeeper) recountLater(ctx context.Context, clinicID bson.ObjectID) {
	select {
	case k.background <- struct{}{}:
		go func() {
			defer func() { <-k.background }()
			_ = k.recountOnce(context.WithoutCancel(ctx), clinicID) // the failure is logged there
		}()
	default:
	}
}

func (k *CensusKeeper) recountOnce(ctx context.Context, clinicID bson.ObjectID) error {
	_, err, _ := k.recounting.Do(clinicID.Hex(), func() (any, error) {
		return nil, k.Recount(ctx, clinicID)
	})
	if err != nil {
		k.log.Warn("the patients of a clinic could not be counted", zap.String("clinicId", clinicID.Hex()), zap.Error(err))
	}
	return err
}

// Sweep counts the patients of every clinic in which a process died during a change, and returns how many clinics it
// mended.
func (k *CensusKeeper) Sweep(ctx context.Context) (int, error) {
	cursor, err := k.notes.Find(ctx, bson.D{{Key: "time", Value: bson.D{{Key: "$lt", Value: store.Now().Add(-k.Patience)}}}})
	if err != nil {
		return 0, err
	}
	var notes []note
	if err := cursor.All(ctx, &notes); err != nil {
		return 0, err
	}
	mended := map[bson.ObjectID]bool{}
	for _, mark := range notes {
		if !mended[mark.ClinicID] {
			if err := k.Recount(ctx, mark.ClinicID); err != nil && !errs.Is(err, errs.NotFound) {
				return len(mended), err
			}
			mended[mark.ClinicID] = true
		}
		if _, err := k.notes.DeleteOne(ctx, bson.D{{Key: "_id", Value: mark.ID}}); err != nil {
			return len(mended), err
		}
	}
	return len(mended), nil
}

// Run sweeps now and then until the context ends.
func (k *CensusKeeper) Run(ctx context.Context) {
	ticker := time.NewTicker(defaultPatience / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := k.Sweep(ctx); err != nil && ctx.Err() == nil {
				k.log.Warn("left-over changes of a census could not be swept", zap.Error(err))
			}
		}
	}
}

func (k *CensusKeeper) read(ctx context.Context, clinicID bson.ObjectID) (*Clinic, error) {
	var clinic Clinic
	projection := options.FindOne().SetProjection(bson.D{{Key: "patientCount", Value: 1}, {Key: "derived.census", Value: 1}})
	if err := k.clinics.FindOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, projection).Decode(&clinic); err != nil {
		return nil, err
	}
	return &clinic, nil
}

// recounts returns how often the patients of the clinic were counted. It is 0 for a nil clinic.
func (c *Clinic) recounts() int64 {
	if c == nil || c.Derived == nil || c.Derived.Census == nil {
		return 0
	}
	return c.Derived.Census.Recount
}
