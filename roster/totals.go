package roster

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// totals knows how many patients clinics have. Counting takes the longer the larger the clinic is, and every page needs the
// number, so a count is kept for as long as nothing speaks against it: neither the number in the clinic document, which every
// writer changes that adds or removes patients, nor the newest record, which tells of records that were added behind the back of the service.
// And because records may also be removed like that, no count is kept for long.
type totals struct {
	patients *mongo.Collection
	clinics  *mongo.Collection
	maxAge   time.Duration

	mu     sync.Mutex
	counts map[bson.ObjectID]countedTotal
}

type countedTotal struct {
	evidence evidence
	total    int
	at       time.Time
}

// evidence changes when patients are added or removed.
type evidence struct {
	counted int   // the number in the clinic document, which older writers keep as well
	updated int64 // updatedTime of the clinic, which they set when they count
	newest  bson.ObjectID
}

const (
	totalMaxAge = 3 * time.Second
	// keptTotals bounds the memory; when there are more, all are forgotten, which costs a count each.
	keptTotals = 10_000
)

func newTotals(d *store.Database) *totals {
	return &totals{
		patients: d.Collection(patients.CollectionName), clinics: d.Collection(clinics.CollectionName),
		maxAge: totalMaxAge, counts: map[bson.ObjectID]countedTotal{},
	}
}

// count returns how many patients the clinic has.
func (t *totals) count(ctx context.Context, clinicID bson.ObjectID) (int, error) {
	total, _, err := t.look(ctx, clinicID, false)
	return total, err
}

// look returns how many patients the clinic has, and the id of the newest, zero if there is none. It can be made to count anew.
func (t *totals) look(ctx context.Context, clinicID bson.ObjectID, anew bool) (int, bson.ObjectID, error) {
	now, err := t.evidence(ctx, clinicID) // before the count, which may only be newer than the evidence for it
	if err != nil {
		return 0, bson.ObjectID{}, err
	}
	t.mu.Lock()
	kept, ok := t.counts[clinicID]
	t.mu.Unlock()
	if !anew && ok && kept.evidence == now && time.Since(kept.at) < t.maxAge {
		return kept.total, now.newest, nil
	}
	at := time.Now()
	total, err := t.patients.CountDocuments(ctx, bson.D{{Key: "clinicId", Value: clinicID}})
	if err != nil {
		return 0, bson.ObjectID{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.counts) >= keptTotals {
		clear(t.counts)
	}
	t.counts[clinicID] = countedTotal{evidence: now, total: int(total), at: at}
	return int(total), now.newest, nil
}

func (t *totals) evidence(ctx context.Context, clinicID bson.ObjectID) (evidence, error) {
	var found evidence
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		var clinic clinics.Clinic
		err := t.clinics.FindOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, options.FindOne().SetProjection(bson.D{
			{Key: "patientCount.total", Value: 1}, {Key: "updatedTime", Value: 1},
		})).Decode(&clinic)
		found.updated = clinic.UpdatedTime.UnixMilli()
		if clinic.PatientCount != nil {
			found.counted = clinic.PatientCount.Total
		}
		return ignoreNotFound(err)
	})
	group.Go(func() error {
		var newest struct {
			ID bson.ObjectID `bson:"_id"`
		}
		err := t.patients.FindOne(ctx, bson.D{{Key: "clinicId", Value: clinicID}}, options.FindOne().
			SetSort(bson.D{{Key: "_id", Value: -1}}).SetProjection(bson.D{{Key: "_id", Value: 1}})).Decode(&newest)
		found.newest = newest.ID
		return ignoreNotFound(err)
	})
	return found, group.Wait()
}

func ignoreNotFound(err error) error {
	if store.IsNotFound(err) {
		return nil
	}
	return err
}
