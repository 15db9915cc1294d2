package redox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// order stores an order of the given age that asks for the reports of a patient, and returns its id.
func (c connected) order(t *testing.T, age time.Duration, code, mrn string) bson.ObjectID {
	t.Helper()
	id := bson.NewObjectIDFromTimestamp(time.Now().Add(-age))
	_, err := c.store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), bson.M{
		"_id":  id,
		"meta": bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "source-1"}},
		"message": bson.M{
			"Order": bson.M{"Procedure": bson.M{"Code": code}},
			"Patient": bson.M{
				"Identifiers":  bson.A{bson.M{"ID": mrn, "IDType": "MR"}},
				"Demographics": bson.M{"FirstName": "Ana", "LastName": "Lima", "DOB": "1980-01-02"},
			},
		},
	})
	require.NoError(t, err)
	return id
}

func (c connected) requireOldest(t *testing.T, want time.Duration) {
	t.Helper()
	oldest, err := c.OldestPending(t.Context())
	require.NoError(t, err)
	require.InDelta(t, want, oldest, float64(time.Minute))
}

func TestOldestPendingOrder(t *testing.T) {
	t.Parallel()
	c := newConnected(t)
	_, err := c.store.Collection(clinics.CollectionName).UpdateByID(t.Context(), c.clinicID, bson.M{"$set": bson.M{"ehrSettings.procedureCodes": bson.M{"enableSummaryReports": "ON"}}})
	require.NoError(t, err)
	people := c.store.Collection(patients.CollectionName)
	_, err = people.InsertOne(t.Context(), bson.M{"clinicId": c.clinicID, "userId": "1234567890", "fullName": "Ana Lima", "birthDate": "1980-01-02", "mrn": "77"})
	require.NoError(t, err)

	c.requireOldest(t, 0)
	c.order(t, 3*time.Hour, "OTHER", "77") // of no use
	c.order(t, 2*time.Hour, "ON", "88")    // nobody's
	c.order(t, 30*time.Hour, "ON", "77")   // given up
	first := c.order(t, time.Hour, "ON", "77")
	second := c.order(t, 30*time.Minute, "ON", "77")
	c.requireOldest(t, time.Hour)
	c.requireOldest(t, time.Hour)

	act := func(id bson.ObjectID) {
		_, err := people.UpdateOne(t.Context(), bson.M{"userId": "1234567890"}, bson.M{"$push": bson.M{
			"ehrSubscriptions.summaryAndReports.matchedMessages": bson.M{"id": id, "dataModel": "Order", "eventType": "New"},
		}})
		require.NoError(t, err)
	}
	act(first)
	c.requireOldest(t, 30*time.Minute)
	act(second)
	c.requireOldest(t, 0)
	c.order(t, 0, "ON", "77") // came since the last look
	time.Sleep(1100 * time.Millisecond)
	oldest, err := c.OldestPending(t.Context())
	require.NoError(t, err)
	require.Greater(t, oldest, time.Second/2)
}
