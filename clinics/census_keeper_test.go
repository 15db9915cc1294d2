package clinics_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// crowd plays the patients of a clinic.
type crowd struct {
	mutex  sync.Mutex
	census clinics.Census
	counts int
}

func (c *crowd) CountPatients(context.Context, bson.ObjectID) (clinics.Census, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.counts++
	return c.census.Plus(clinics.Census{}), nil
}

func (c *crowd) counted() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.counts
}

// join makes a write that adds one patient with a tag.
func (c *crowd) join(context.Context) (clinics.Census, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	one := clinics.Census{Total: 1, Plan: 1, Tags: map[bson.ObjectID]int{{1}: 1}}
	c.census.Add(one)
	return one, nil
}

type keeping struct {
	d      *store.Database
	keeper *clinics.CensusKeeper
	crowd  *crowd
	id     bson.ObjectID
}

// keep sets the stage: a clinic that an older writer made, and its keeper.
func keep(t *testing.T) keeping {
	t.Helper()
	k := keeping{d: testkit.Database(t), crowd: &crowd{}, id: bson.NewObjectID()}
	k.keeper = clinics.NewCensusKeeper(k.d, k.crowd, zap.NewNop())
	_, err := k.d.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.D{
		{Key: "_id", Value: k.id}, {Key: "canonicalShareCode", Value: k.id.Hex()}, {Key: "shareCodes", Value: bson.A{k.id.Hex()}},
		{Key: "patientCount", Value: bson.D{{Key: "patientCount", Value: 5}}}, {Key: "updatedTime", Value: time.Unix(0, 0)},
	})
	require.NoError(t, err)
	return k
}

func (k keeping) clinic(t *testing.T) *clinics.Clinic {
	t.Helper()
	clinic, err := clinics.NewRepository(k.d).Get(t.Context(), k.id)
	require.NoError(t, err)
	return clinic
}

func (k keeping) notes(t *testing.T) int {
	t.Helper()
	return len(testkit.Documents(t, k.d, clinics.NotesCollectionName, bson.D{}))
}

// leaveNote makes the note of a process that died.
func (k keeping) leaveNote(t *testing.T, age time.Duration) {
	t.Helper()
	_, err := k.d.Collection(clinics.NotesCollectionName).InsertOne(t.Context(), bson.D{
		{Key: "clinicId", Value: k.id}, {Key: "time", Value: time.Now().Add(-age)},
	})
	require.NoError(t, err)
}

func TestConcurrentChangesOfACensusAreAllCounted(t *testing.T) {
	t.Parallel()
	k := keep(t)
	require.NoError(t, k.keeper.Recount(t.Context(), k.id))
	var group sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		group.Go(func() { results[i] = k.keeper.Track(t.Context(), k.id, k.crowd.join) })
	}
	group.Wait()
	require.NoError(t, errors.Join(results...))
	clinic := k.clinic(t)
	require.Equal(t, clinics.PatientCount{Total: 20, Plan: 20}, *clinic.PatientCount)
	require.Equal(t, 20, clinic.TagCount(bson.ObjectID{1}))
	require.Zero(t, k.notes(t))
	require.Equal(t, 1, k.crowd.counted(), "nothing but the first recount read the patients")
}

func TestFreshCountsAClinicOfAnOlderWriterOnce(t *testing.T) {
	t.Parallel()
	k := keep(t)
	for range 3 {
		_, _ = k.crowd.join(t.Context())
	}
	clinic := k.clinic(t)
	require.NoError(t, k.keeper.Fresh(t.Context(), clinic))
	require.Equal(t, 3, clinic.TagCount(bson.ObjectID{1}))
	clinic = k.clinic(t)
	require.NoError(t, k.keeper.Fresh(t.Context(), clinic))
	require.Equal(t, clinics.PatientCount{Total: 3, Plan: 3}, *clinic.PatientCount)
	require.Equal(t, 1, k.crowd.counted())
}

func TestAChangeThatADeadProcessLeftHeals(t *testing.T) {
	t.Parallel()
	for name, heal := range map[string]func(*testing.T, keeping){
		"by the sweep": func(t *testing.T, k keeping) {
			mended, err := k.keeper.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, mended)
		},
		"by the next change": func(t *testing.T, k keeping) {
			require.NoError(t, k.keeper.Track(t.Context(), k.id, func(context.Context) (clinics.Census, error) { return clinics.Census{}, nil }))
			_, err := k.keeper.Sweep(t.Context())
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := keep(t)
			require.NoError(t, k.keeper.Recount(t.Context(), k.id))
			_, _ = k.crowd.join(t.Context()) // written, but never added to the census
			k.leaveNote(t, time.Hour)
			heal(t, k)
			require.Equal(t, 1, k.clinic(t).PatientCount.Total)
			require.Equal(t, 1, k.clinic(t).TagCount(bson.ObjectID{1}))
			require.Zero(t, k.notes(t))
		})
	}
}

func TestSweepLeavesChangesThatAreUnderWay(t *testing.T) {
	t.Parallel()
	k := keep(t)
	k.leaveNote(t, time.Second)
	mended, err := k.keeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, mended)
	require.Equal(t, 1, k.notes(t))
	require.Zero(t, k.crowd.counted())
}

func TestSweepLeavesAWriteThatLastsLong(t *testing.T) {
	t.Parallel()
	k := keep(t)
	k.keeper.Patience = 3 * time.Second
	require.NoError(t, k.keeper.Track(t.Context(), k.id, func(context.Context) (clinics.Census, error) {
		time.Sleep(5 * time.Second)
		mended, err := k.keeper.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, mended)
		return clinics.Census{}, nil
	}))
	require.Zero(t, k.notes(t))
}

func TestTrackAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	k := keep(t)
	require.NoError(t, k.keeper.Recount(t.Context(), k.id))
	before := k.clinic(t).UpdatedTime
	time.Sleep(2 * time.Millisecond)

	refused := errs.Duplicatef("patient is already a member of the clinic")
	err := k.keeper.Track(t.Context(), k.id, func(context.Context) (clinics.Census, error) { return clinics.Census{}, refused })
	require.ErrorIs(t, err, refused)
	require.True(t, k.clinic(t).UpdatedTime.After(before), "the count is refreshed all the same")
	require.Zero(t, k.notes(t))

	unknown := errors.New("the connection broke")
	err = k.keeper.Track(t.Context(), k.id, func(context.Context) (clinics.Census, error) { return clinics.Census{}, unknown })
	require.ErrorIs(t, err, unknown)
	require.Equal(t, 1, k.notes(t), "whether it was written is not known, so the sweep has to look")
}

func TestTrackCountsWhenARecountCameInBetween(t *testing.T) {
	t.Parallel()
	k := keep(t)
	require.NoError(t, k.keeper.Recount(t.Context(), k.id))
	require.NoError(t, k.keeper.Track(t.Context(), k.id, func(ctx context.Context) (clinics.Census, error) {
		difference, err := k.crowd.join(ctx)
		require.NoError(t, k.keeper.Recount(ctx, k.id)) // sees the new patient
		return difference, err
	}))
	require.Equal(t, 1, k.clinic(t).PatientCount.Total, "not counted twice")
}

func TestRecountOfAnUnknownClinic(t *testing.T) {
	t.Parallel()
	k := keep(t)
	require.ErrorIs(t, k.keeper.Recount(t.Context(), bson.NewObjectID()), clinics.ErrNotFound)
	_, err := k.keeper.PatientCount(t.Context(), bson.NewObjectID())
	require.ErrorIs(t, err, clinics.ErrNotFound)
}
