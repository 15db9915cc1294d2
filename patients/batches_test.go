package patients_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// largestWrites listens to a connection for how many documents one update changed at most.
type largestWrites struct {
	mu   sync.Mutex
	most int64
	// after is called after an update of a whole batch, if it is set.
	after func()
	// between is called when a whole batch is complete, if it is set; with transactions, that is when it is committed.
	between      func()
	transactions bool
	whole        bool // whether a batch was updated since
}

func (l *largestWrites) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Succeeded: func(_ context.Context, done *event.CommandSucceededEvent) {
		if n, ok := done.Reply.Lookup("nModified").AsInt64OK(); ok {
			l.mu.Lock()
			l.most = max(l.most, n)
			after := l.after
			l.whole = l.whole || n == patients.BatchSize
			l.mu.Unlock()
			if after != nil && n == patients.BatchSize {
				after()
			}
		}
		l.mu.Lock()
		between, complete := l.between, l.whole && (!l.transactions || done.CommandName == "commitTransaction")
		l.whole = l.whole && !complete
		l.mu.Unlock()
		if between != nil && complete {
			between()
		}
	}}
}

// largeClinic is a clinic with more patients than are changed at once, all of the site North, with a watched connection.
type largeClinic struct {
	store        *store.Database
	largest      largestWrites
	service      *patients.Service
	watched      *store.Database
	counts       *census.Service
	id, tag      bson.ObjectID
	north, south bson.ObjectID
}

const largeSize = patients.BatchSize + 7

func newLargeClinic(t testing.TB, size int) *largeClinic {
	t.Helper()
	c := &largeClinic{store: testkit.Database(t), id: bson.NewObjectID(), tag: bson.NewObjectID(), north: bson.NewObjectID(), south: bson.NewObjectID()}
	watched, err := store.Open(testkit.Store(c.store.Name()), zap.NewNop(), store.Monitors{Commands: c.largest.monitor()})
	require.NoError(t, err)
	require.NoError(t, watched.Connect(t.Context(), false))
	t.Cleanup(func() { _ = watched.Close(context.Background()) })
	c.largest.transactions = watched.HasTransactions()
	c.watched, c.counts = watched, testkit.Census(watched, "")
	c.service = c.replica()
	sites := []clinics.Site{{ID: c.north, Name: "North"}, {ID: c.south, Name: "South"}}
	_, err = c.store.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.M{
		"_id": c.id, "patientTags": bson.A{bson.M{"_id": c.tag, "name": "Tag"}}, "sites": sites, "shareCodes": bson.A{"A"}, "canonicalShareCode": "A",
		"patientCount": census.PatientCount{Total: size, Plan: size},
	})
	require.NoError(t, err)
	var all []any
	for range size {
		all = append(all, patients.Patient{ClinicID: c.id, UserID: testkit.NewUserID(), Sites: patients.Sites{patients.Site(sites[0])}})
	}
	for batch := range slices.Chunk(all, 1000) {
		_, err = c.store.Collection(patients.CollectionName).InsertMany(t.Context(), batch)
		require.NoError(t, err)
	}
	_, err = c.counts.Recount(t.Context(), c.id)
	require.NoError(t, err)
	return c
}

// replica returns the service as another process has it. It makes no changes of tags in the background before runs.
func (c *largeClinic) replica() *patients.Service {
	s := patients.NewService(patients.Params{
		Database: c.watched, Leases: store.NewLeases(c.watched), Clinics: clinics.NewService(c.watched, c.counts), Census: c.counts, Log: zap.NewNop(),
	})
	s.AnswerTime, s.TagInterval = time.Minute, 50*time.Millisecond
	return s
}

// runs lets a service make changes in the background, until the returned function is called, which waits for the end.
func runs(t testing.TB, s *patients.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// groups returns the census of tags and sites, which has to be exact.
func (c *largeClinic) groups(t *testing.T) census.Groups {
	t.Helper()
	found, err := c.counts.Groups(t.Context(), []bson.ObjectID{c.id})
	require.NoError(t, err)
	drift, err := c.counts.Recount(t.Context(), c.id)
	require.NoError(t, err)
	require.True(t, drift.IsZero(), "the census was kept batch by batch: %+v", drift)
	return found[c.id]
}

// mend does what the background does a minute after a write whose outcome nobody learned.
func (c *largeClinic) mend(t *testing.T) {
	t.Helper()
	_, err := c.store.Collection(census.NotesCollectionName).UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "time", Value: time.Unix(0, 0)}}}})
	require.NoError(t, err)
	_, err = c.counts.Sweep(t.Context())
	require.NoError(t, err)
}

// with returns how many patients match.
func (c *largeClinic) with(t *testing.T, field string, value any) int {
	t.Helper()
	n, err := c.store.Collection(patients.CollectionName).CountDocuments(t.Context(), bson.D{{Key: "clinicId", Value: c.id}, {Key: field, Value: value}})
	require.NoError(t, err)
	return int(n)
}

// cutOff is the context of a caller who leaves after the first whole batch.
func (c *largeClinic) cutOff(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	c.largest.mu.Lock()
	defer c.largest.mu.Unlock()
	c.largest.after = cancel
	return ctx
}

func TestALargeClinicIsChangedInBatches(t *testing.T) {
	t.Parallel()
	c := newLargeClinic(t, largeSize)
	runs(t, c.service)
	require.NoError(t, c.service.AssignTag(t.Context(), c.id, c.tag, patients.Everyone()))
	require.NoError(t, c.service.AssignTag(t.Context(), c.id, c.tag, patients.Everyone()), "a repeat finds nobody left")
	require.Equal(t, largeSize, c.groups(t).Tags[c.tag])
	_, err := c.service.MergeSite(t.Context(), c.id, c.north, c.south)
	require.NoError(t, err)
	require.Equal(t, map[bson.ObjectID]int{c.south: largeSize}, c.groups(t).Sites)
	require.NoError(t, c.service.RenameSite(t.Context(), c.id, c.south, "Far South"))
	require.Equal(t, largeSize, c.with(t, "sites.name", "Far South"))
	site, err := c.service.ConvertTag(t.Context(), c.id, c.tag)
	require.NoError(t, err)
	require.Equal(t, map[bson.ObjectID]int{c.south: largeSize, site.ID: largeSize}, c.groups(t).Sites)
	require.Zero(t, c.groups(t).Tags[c.tag])
	require.NoError(t, c.service.DeleteSite(t.Context(), c.id, c.south))
	require.NoError(t, c.service.DeleteSite(t.Context(), c.id, site.ID))
	require.Zero(t, c.with(t, "tags.0", bson.D{{Key: "$exists", Value: true}}))
	require.Zero(t, c.with(t, "sites.0", bson.D{{Key: "$exists", Value: true}}))

	require.NoError(t, c.service.AssignTag(t.Context(), c.id, c.tag, patients.Everyone()))
	require.NoError(t, c.service.RemoveTag(t.Context(), c.id, c.tag, patients.Everyone()))
	require.Zero(t, c.groups(t).Tags[c.tag])
	require.Equal(t, int64(patients.BatchSize), c.largest.most)
}

func TestWhatIsCutOffBetweenBatchesGoesOn(t *testing.T) {
	t.Parallel()
	t.Run("rename a site", func(t *testing.T) {
		t.Parallel()
		c := newLargeClinic(t, largeSize)
		require.Error(t, c.service.RenameSite(c.cutOff(t), c.id, c.north, "Far North"))
		require.Positive(t, c.with(t, "sites.name", "North"))
		require.NoError(t, c.service.RenameSite(t.Context(), c.id, c.north, "Far North"))
		require.Equal(t, largeSize, c.with(t, "sites.name", "Far North"))
		require.Equal(t, map[bson.ObjectID]int{c.north: largeSize}, c.groups(t).Sites)
	})
	t.Run("convert a tag", func(t *testing.T) {
		t.Parallel()
		c := newLargeClinic(t, largeSize)
		runs(t, c.service)
		require.NoError(t, c.service.AssignTag(t.Context(), c.id, c.tag, patients.Everyone()))
		_, err := c.service.ConvertTag(c.cutOff(t), c.id, c.tag)
		require.Error(t, err)
		require.Positive(t, c.with(t, "tags", c.tag))
		site, err := c.service.ConvertTag(t.Context(), c.id, c.tag)
		require.NoError(t, err)
		require.Zero(t, c.with(t, "tags", c.tag))
		c.mend(t)
		require.Equal(t, map[bson.ObjectID]int{c.north: largeSize, site.ID: largeSize}, c.groups(t).Sites)
	})
}
