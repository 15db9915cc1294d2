package redox_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
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

func newService(d *store.Database) *redox.Service {
	return redox.NewService(redox.NewRepository(d), clinics.NewRepository(d), patients.NewRepository(d, config.Demo{}), roster.NewService(d), zap.NewNop())
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
	client, err := mongo.Connect(options.Client().ApplyURI(store.URI(testkit.Store(c.store.Name()))).SetMonitor(monitor))
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

func TestSyncsOfTheSameClinicAtTheSameTimeFollowEachOther(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	c.subscribe(t, 20, "")
	var group sync.WaitGroup
	problems := make([]error, 2)
	for i := range problems {
		group.Go(func() { _, problems[i] = c.SyncClinic(t.Context(), c.clinicID) })
	}
	group.Wait()
	require.Equal(t, []error{nil, nil}, problems)
	all := c.scheduled(t)
	require.Len(t, all, 40)
	preceded := 0
	for _, one := range all {
		if one.PrecedingDocument != nil {
			preceded++
		}
	}
	require.Equal(t, 20, preceded)
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
		time.Sleep(2 * time.Millisecond) // times are kept in milliseconds
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
