package redox_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// connected is a clinic that is connected to Redox, in a database of its own.
type connected struct {
	*redox.Service
	store    *store.Database
	clinicID bson.ObjectID
}

func newConnected(t *testing.T) connected {
	t.Helper()
	c := connected{store: testkit.Database(t), clinicID: bson.NewObjectID()}
	c.Service = newService(c.store)
	_, err := c.store.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.M{
		"_id": c.clinicID, "canonicalShareCode": c.clinicID.Hex(), "shareCodes": bson.A{c.clinicID.Hex()},
		"ehrSettings": bson.M{"enabled": true, "provider": "redox", "sourceId": "source-1", "mrnIdType": "MR"},
	})
	require.NoError(t, err)
	return c
}

// odd counts documents of an unexpected form.
type odd struct{ atomic.Int32 }

func (o *odd) CountOddDocument(string) { o.Add(1) }

func newService(d *store.Database) *redox.Service { return newLoggingService(d, &odd{}, zap.NewNop()) }

func newLoggingService(d *store.Database, odd *odd, log *zap.Logger) *redox.Service {
	return redox.NewService(redox.Params{
		Database: d, Leases: store.NewLeases(d), Odd: odd, Clinics: clinics.NewService(d, nil),
		Patients: patients.NewSubscriptions(d), Roster: roster.NewService(d), Log: log,
	})
}

// subscribe stores patients, each subscribed by an order that holds the filling.
func (c connected) subscribe(t *testing.T, count int, filling string) {
	t.Helper()
	messages, people := make([]any, 0, count), make([]any, 0, count)
	for range count {
		id, user := bson.NewObjectID(), testkit.NewUserID()
		messages = append(messages, bson.M{
			"_id": id, "meta": bson.M{"DataModel": "Order", "EventType": "New"}, "message": bson.M{"Order": bson.M{"ID": user, "Filling": filling}},
		})
		people = append(people, bson.M{"clinicId": c.clinicID, "userId": user, "ehrSubscriptions": bson.M{"summaryAndReports": bson.M{
			"active": true, "provider": "redox", "matchedMessages": bson.A{bson.M{"id": id, "dataModel": "Order", "eventType": "New"}},
		}}})
	}
	_, err := c.store.Collection(redox.MessagesCollectionName).InsertMany(t.Context(), messages)
	require.NoError(t, err)
	_, err = c.store.Collection(patients.CollectionName).InsertMany(t.Context(), people)
	require.NoError(t, err)
}

// bulks records the sizes of the writes of scheduled orders.
type bulks struct {
	mu    sync.Mutex
	sizes []int
}

// watched returns a service on the same database whose writes are recorded.
func (c connected) watched(t *testing.T) (*redox.Service, *bulks) {
	t.Helper()
	seen := &bulks{}
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName != "insert" || e.Command.Lookup("insert").StringValue() != redox.ScheduledCollectionName {
			return
		}
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.sizes = append(seen.sizes, len(e.Command))
	}}
	settings := testkit.Store(c.store.Name())
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + settings.Addresses + "/?" + settings.OptParams).SetMonitor(monitor))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.Background())) })
	return newService(&store.Database{Database: client.Database(c.store.Name())}), seen
}

type scheduled struct {
	ID               bson.ObjectID `bson:"_id"`
	UserID           string        `bson:"userId"`
	CreatedTime      time.Time     `bson:"createdTime"`
	LastMatchedOrder struct {
		ID bson.ObjectID `bson:"_id"`
	} `bson:"lastMatchedOrder"`
	PrecedingDocument *struct {
		ID bson.ObjectID `bson:"_id"`
	} `bson:"precedingDocument"`
}

func (c connected) scheduled(t *testing.T) []scheduled {
	t.Helper()
	cursor, err := c.store.Collection(redox.ScheduledCollectionName).Find(t.Context(), bson.M{}, options.Find().
		SetSort(store.Ascending("createdTime", "_id")).
		SetProjection(store.Ascending("userId", "createdTime", "lastMatchedOrder._id", "precedingDocument")))
	require.NoError(t, err)
	var all []scheduled
	require.NoError(t, cursor.All(t.Context(), &all))
	return all
}

func TestSyncOfALargeClinicIsOneBulkWithOneTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: 5,000 patients take some seconds")
	}
	testkit.NotOnSecantus(t, "it joins 5,000 patients with their orders for minutes")
	const subscribers = 5000
	c := newConnected(t)
	c.subscribe(t, subscribers, strings.Repeat("x", 3000))
	service, written := c.watched(t)

	n, err := service.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, subscribers, n)
	require.Len(t, written.sizes, 1)
	all := c.scheduled(t)
	require.Len(t, all, subscribers)
	users := map[string]bool{}
	for _, one := range all {
		users[one.UserID] = true
		require.Equal(t, all[0].CreatedTime, one.CreatedTime)
		require.Nil(t, one.PrecedingDocument)
	}
	require.Len(t, users, subscribers, "each patient once")

	n, err = service.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, subscribers, n)
	requireSuccession(t, c.scheduled(t), subscribers)
}

// requireSuccession asserts that the second half of the documents follows the first.
func requireSuccession(t *testing.T, all []scheduled, half int) {
	t.Helper()
	require.Len(t, all, 2*half)
	first := map[bson.ObjectID]bson.ObjectID{}
	for _, one := range all[:half] {
		require.Nil(t, one.PrecedingDocument)
		first[one.LastMatchedOrder.ID] = one.ID
	}
	for _, one := range all[half:] {
		require.NotNil(t, one.PrecedingDocument)
		require.Equal(t, first[one.LastMatchedOrder.ID], one.PrecedingDocument.ID)
	}
}

func TestSyncOfLargeOrdersHoldsAFewOfThem(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 4, strings.Repeat("x", 9<<20))
	service, written := c.watched(t)
	n, err := service.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Len(t, c.scheduled(t), 4)
	require.Len(t, written.sizes, 2)
	for _, size := range written.sizes {
		require.Less(t, size, 25<<20)
	}
}

// TestSyncsInTwoReplicasFollowEachOther: a clinic and one of its patients are synced at the same time by two services that
// share only the database, as replicas do. Of the documents of each order, each must refer to the one before.
func TestSyncsInTwoReplicasFollowEachOther(t *testing.T) {
	t.Parallel()
	const rounds, subscribers = 25, 10
	c := newConnected(t)
	_, err := c.store.Collection(clinics.CollectionName).UpdateByID(t.Context(), c.clinicID, bson.M{"$set": bson.M{"ehrSettings.scheduledReports.onUploadEnabled": true}})
	require.NoError(t, err)
	c.subscribe(t, subscribers, "")
	user := testkit.Documents(t, c.store, patients.CollectionName, bson.M{})[0]["userId"].(string)
	replicas := []*redox.Service{newService(c.second(t)), newService(c.second(t))}
	for range rounds {
		var group sync.WaitGroup
		problems := make([]error, 4)
		group.Go(func() { _, problems[0] = replicas[0].SyncClinic(t.Context(), c.clinicID) })
		group.Go(func() { _, problems[1] = replicas[1].SyncClinic(t.Context(), c.clinicID) })
		group.Go(func() { _, problems[2] = replicas[0].SyncPatient(t.Context(), user) })
		group.Go(func() { _, problems[3] = replicas[1].SyncPatient(t.Context(), user) })
		group.Wait()
		require.Equal(t, make([]error, 4), problems)
	}
	before := map[bson.ObjectID]*bson.ObjectID{} // by message
	violations := 0
	all := c.scheduled(t)
	for _, one := range all {
		last := before[one.LastMatchedOrder.ID]
		if last == nil && one.PrecedingDocument != nil || last != nil && (one.PrecedingDocument == nil || one.PrecedingDocument.ID != *last) {
			violations++
		}
		before[one.LastMatchedOrder.ID] = &one.ID
	}
	t.Logf("%d rounds, %d documents, %d violations", rounds, len(all), violations)
	require.Len(t, all, 2*rounds*(subscribers+1))
	require.Zero(t, violations)
}

// second returns the same database through connections of its own.
func (c connected) second(t *testing.T) *store.Database {
	t.Helper()
	d, err := store.Open(testkit.Store(c.store.Name()), zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close(context.Background())) })
	return d
}

func TestWhoIsCutOffWaitingForASyncLeavesItToOthers(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 1, "")
	_, lease, err := store.NewLeases(c.store).Try(t.Context(), "redox sync", c.clinicID.Hex())
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = c.SyncClinic(short, c.clinicID)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, c.scheduled(t))
	lease.Release()
	n, err := c.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestSyncAfterACutOneSchedulesEverybody(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 5, "")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.SyncClinic(gone, c.clinicID)
	require.ErrorIs(t, err, context.Canceled)
	n, err := c.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, 5, n)
}

func TestPrecedingDocumentIsTheNewestOfTheMessage(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 1, "")
	for range 3 {
		_, err := c.SyncClinic(t.Context(), c.clinicID)
		require.NoError(t, err)
	}
	all := c.scheduled(t)
	require.Equal(t, all[0].ID, all[1].PrecedingDocument.ID)
	require.Equal(t, all[1].ID, all[2].PrecedingDocument.ID)
}

func TestAMessageThatIntakeDidNotWriteStopsNobody(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 3, "")
	id := c.last(t).ID
	_, err := c.store.Collection(redox.MessagesCollectionName).UpdateByID(t.Context(), id, bson.M{"$unset": bson.M{"meta": ""}})
	require.NoError(t, err)
	n, err := c.SyncClinic(t.Context(), c.clinicID)
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
