package redox_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// stuck is a clinic with an order that found no patient.
type stuck struct {
	connected
	order bson.ObjectID
}

func newStuck(t *testing.T) stuck {
	t.Helper()
	s := stuck{connected: newConnected(t)}
	require.NoError(t, s.store.EnsureIndexes(t.Context(), redox.Indexes()...))
	_, err := s.store.Collection(clinics.CollectionName).UpdateByID(t.Context(), s.clinicID,
		bson.M{"$set": bson.M{"ehrSettings.procedureCodes": bson.M{"enableSummaryReports": "P1"}}})
	require.NoError(t, err)
	s.order = s.deliver(t)
	return s
}

func (s stuck) deliver(t *testing.T) bson.ObjectID {
	t.Helper()
	require.NoError(t, s.Receive(t.Context(), []byte(`{"Meta":{"DataModel":"Order","EventType":"New","Source":{"ID":"source-1"},"Logs":[{"ID":"log-1"}],"Message":{"ID":5}},
		"Patient":{"Identifiers":[{"ID":"m-1","IDType":"MR"}],"Demographics":{"FirstName":"Ann","LastName":"Bee","DOB":"2008-01-06"}},
		"Order":{"Procedure":{"Code":"P1"}}}`)))
	return s.last(t).ID
}

// mend adds the patient whom the order is about.
func (s stuck) mend(t *testing.T) {
	t.Helper()
	_, err := s.store.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
		"clinicId": s.clinicID, "userId": "1234567890", "fullName": "Ann Bee", "birthDate": "2008-01-06", "mrn": "m-1",
	})
	require.NoError(t, err)
}

// outcomes returns those of all orders, by id.
func (s stuck) outcomes(t *testing.T) map[bson.ObjectID]redox.Outcome {
	t.Helper()
	found := map[bson.ObjectID]redox.Outcome{}
	for state, err := range s.Orders(t.Context(), redox.OrderFilter{Since: time.Now().Add(-time.Hour)}) {
		require.NoError(t, err)
		found[state.ID] = state.Outcome
	}
	return found
}

func TestAnOrderIsReplayedOnceItsCauseIsMended(t *testing.T) {
	t.Parallel()
	s := newStuck(t)
	_, err := s.Replay(t.Context(), s.order)
	require.Equal(t, errs.Conflict, errs.KindOf(err))
	require.Contains(t, errs.Public(err), "the order would not act now either: no patient matches")
	_, err = s.Replay(t.Context(), bson.NewObjectID())
	require.ErrorIs(t, err, redox.ErrMessageNotFound)
	again := s.deliver(t)
	s.mend(t)

	replay, err := s.Replay(t.Context(), s.order)
	require.NoError(t, err)
	stored := testkit.Documents(t, s.store, redox.MessagesCollectionName, bson.M{})
	require.Len(t, stored, 3)
	require.Equal(t, []any{replay, stored[0]["meta"], stored[0]["message"]}, []any{stored[2]["_id"], stored[2]["meta"], stored[2]["message"]},
		"the worker gets what a delivery would be")
	require.Equal(t, bson.D{{Key: "replayOf", Value: s.order}}, stored[2]["derived"])

	for _, id := range []bson.ObjectID{s.order, again, replay} {
		same, err := s.Replay(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, replay, same, "a message is replayed once, however often it was delivered")
	}
	require.Len(t, testkit.Documents(t, s.store, redox.MessagesCollectionName, bson.M{}), 3)
	require.Equal(t, map[bson.ObjectID]redox.Outcome{s.order: redox.Replayed, again: redox.Replayed, replay: redox.Pending}, s.outcomes(t))

	match, err := s.MatchOrder(t.Context(), replay, &redox.PatientOptions{Criteria: []redox.Criterion{redox.ByMRNAndBirthDate}, OnUniqueMatch: redox.EnableReports})
	require.NoError(t, err)
	require.Len(t, match.Patients, 1)
	require.Equal(t, map[bson.ObjectID]redox.Outcome{s.order: redox.Replayed, again: redox.Replayed, replay: redox.Done}, s.outcomes(t))
}

func TestAnOrderThatActedIsNotReplayed(t *testing.T) {
	t.Parallel()
	s := newStuck(t)
	s.mend(t)
	_, err := s.MatchOrder(t.Context(), s.order, &redox.PatientOptions{Criteria: []redox.Criterion{redox.ByMRN}, OnUniqueMatch: redox.EnableReports})
	require.NoError(t, err)
	_, err = s.Replay(t.Context(), s.order)
	require.Equal(t, errs.Conflict, errs.KindOf(err))
	require.Len(t, testkit.Documents(t, s.store, redox.MessagesCollectionName, bson.M{}), 1)
}

func TestSimultaneousReplaysAreOne(t *testing.T) {
	t.Parallel()
	s := newStuck(t)
	s.mend(t)
	services := []*redox.Service{newService(s.second(t)), newService(s.second(t))}
	ids, problems := make([]bson.ObjectID, 10), make([]error, 10)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() { ids[i], problems[i] = services[i%2].Replay(t.Context(), s.order) })
	}
	group.Wait()
	require.Equal(t, make([]error, 10), problems)
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Len(t, testkit.Documents(t, s.store, redox.MessagesCollectionName, bson.M{}), 2)
}
