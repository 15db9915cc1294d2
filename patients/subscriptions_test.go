package patients_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// old is a time that no write of a test falls into.
var old = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

type subscribed struct {
	*patients.Subscriptions
	patients *patients.Service
	store    *store.Database
	clinicID bson.ObjectID
}

func newSubscribed(t *testing.T) subscribed {
	t.Helper()
	d := testkit.Database(t)
	return subscribed{Subscriptions: patients.NewSubscriptions(d), patients: patients.NewService(patients.Params{Database: d}), store: d, clinicID: bson.NewObjectID()}
}

// add stores a patient with the given extra fields, and returns the user id.
func (s subscribed) add(t *testing.T, fields ...bson.E) string {
	t.Helper()
	id := testkit.NewUserID()
	document := append(bson.D{{Key: "clinicId", Value: s.clinicID}, {Key: "userId", Value: id}}, fields...)
	_, err := s.store.Collection(patients.CollectionName).InsertOne(t.Context(), document)
	require.NoError(t, err)
	return id
}

func (s subscribed) stored(t *testing.T, userID string) bson.M {
	t.Helper()
	found := testkit.Documents(t, s.store, patients.CollectionName, bson.M{"clinicId": s.clinicID, "userId": userID})
	require.Len(t, found, 1)
	return found[0]
}

func reports(active bool) patients.SubscriptionChange {
	return patients.SubscriptionChange{
		Name: patients.SummaryAndReports, Provider: "redox", Active: active,
		Order: patients.MatchedMessage{ID: bson.NewObjectID(), DataModel: "Order", EventType: "New"},
	}
}

func TestChangeSubscriptionStoresTheDocumentedFields(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	user := s.add(t, bson.E{Key: "updatedTime", Value: old})
	on := reports(true)
	before := time.Now().Add(-time.Second)

	require.NoError(t, s.ChangeSubscription(t.Context(), s.clinicID, user, on))

	patient := s.stored(t, user)
	updated := patient["updatedTime"].(bson.DateTime)
	require.WithinRange(t, updated.Time(), before, time.Now().Add(time.Second))
	require.Equal(t, bson.D{{Key: "summaryAndReports", Value: bson.D{
		{Key: "active", Value: true},
		{Key: "provider", Value: "redox"},
		{Key: "matchedMessages", Value: bson.A{bson.D{
			{Key: "id", Value: on.Order.ID}, {Key: "dataModel", Value: "Order"}, {Key: "eventType", Value: "New"},
		}}},
		{Key: "createdAt", Value: updated},
		{Key: "updatedAt", Value: updated},
	}}}, patient["ehrSubscriptions"])
}

func TestAnOrderActsOnceWhateverItAsksForLater(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	user := s.add(t, bson.E{Key: "updatedTime", Value: old})
	on := reports(true)
	require.NoError(t, s.ChangeSubscription(t.Context(), s.clinicID, user, on))
	first := s.stored(t, user)

	on.Active = false
	require.NoError(t, s.ChangeSubscription(t.Context(), s.clinicID, user, on))

	require.Equal(t, first, s.stored(t, user), "the document is untouched")
}

func TestAnotherOrderSwitchesOffAndKeepsTheTimeOfCreation(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	user := s.add(t, bson.E{Key: "updatedTime", Value: old}, bson.E{Key: "ehrSubscriptions", Value: bson.M{
		"summaryAndReports": bson.M{"active": true, "provider": "redox", "createdAt": old, "updatedAt": old,
			"matchedMessages": bson.A{bson.M{"id": bson.NewObjectID(), "dataModel": "Order", "eventType": "New"}}},
		"xealthReports": bson.M{"active": true, "provider": "xealth", "createdAt": old, "updatedAt": old},
	}})
	off := reports(false)

	require.NoError(t, s.ChangeSubscription(t.Context(), s.clinicID, user, off))

	patient, err := s.patients.Get(t.Context(), s.clinicID, user)
	require.NoError(t, err)
	changed := patient.EHRSubscriptions[patients.SummaryAndReports]
	require.False(t, changed.Active)
	require.Len(t, changed.MatchedMessages, 2)
	require.Equal(t, off.Order, changed.MatchedMessages[1], "the newest is last")
	require.Equal(t, old, changed.CreatedAt.UTC())
	require.True(t, changed.UpdatedAt.After(old))
	require.True(t, patient.EHRSubscriptions[patients.XealthReports].Active, "the other subscription is untouched")
}

func TestDisablingAPatientWithoutSubscriptionMakesAnInactiveOne(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	for name, fields := range map[string][]bson.E{
		"absent":                 {{Key: "updatedTime", Value: old}},
		"null":                   {{Key: "updatedTime", Value: old}, {Key: "ehrSubscriptions", Value: nil}},
		"empty":                  {{Key: "updatedTime", Value: old}, {Key: "ehrSubscriptions", Value: bson.D{}}},
		"no time of an update":   nil,
		"null time of an update": {{Key: "updatedTime", Value: nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := s.add(t, fields...)
			require.NoError(t, s.ChangeSubscription(t.Context(), s.clinicID, user, reports(false)))
			patient, err := s.patients.Get(t.Context(), s.clinicID, user)
			require.NoError(t, err)
			require.False(t, patient.EHRSubscriptions[patients.SummaryAndReports].Active)
			require.Len(t, patient.EHRSubscriptions[patients.SummaryAndReports].MatchedMessages, 1)
		})
	}
}

func TestConcurrentOrdersAllCount(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	user := s.add(t, bson.E{Key: "updatedTime", Value: old})
	const orders = 5
	var group sync.WaitGroup
	problems := make([]error, orders)
	for i := range orders {
		group.Go(func() { problems[i] = s.ChangeSubscription(t.Context(), s.clinicID, user, reports(true)) })
	}
	group.Wait()
	for _, err := range problems {
		require.NoError(t, err)
	}
	patient, err := s.patients.Get(t.Context(), s.clinicID, user)
	require.NoError(t, err)
	require.Len(t, patient.EHRSubscriptions[patients.SummaryAndReports].MatchedMessages, orders)
}

func TestChangeSubscriptionOfAnUnknownPatient(t *testing.T) {
	t.Parallel()
	s := newSubscribed(t)
	user := s.add(t)
	require.ErrorIs(t, s.ChangeSubscription(t.Context(), bson.NewObjectID(), user, reports(true)), patients.ErrNotFound)
	require.NotContains(t, s.stored(t, user), "ehrSubscriptions")
}
