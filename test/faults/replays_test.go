package faults_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

const (
	deaths         = 20
	ordersPerDeath = 2
	// within is about how long the replays of a round take; the death comes at a random moment of it.
	within = 150 * time.Millisecond
	// settled is when the survivor has ended what it began before a death: what is held then, the dead one has left.
	settled = 1500 * time.Millisecond
)

// TestReplaysDoNotDoubleWhateverDies replays orders that stopped half-way, twice at once through a replica and at times also
// through another. It kills the one at a random moment of each of 20 rounds, and lets the other go on. In the end everything has
// happened for each order, and once.
func TestReplaysDoNotDoubleWhateverDies(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "twenty replicas start and die there for minutes")
	process := testkit.Run(t, map[string]string{"TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT": "10s"})
	survivor := process.Replica(t)
	r := &replays{Process: process, stage: setScene(t, &process.App, nil)}
	r.stage.TB = t
	r.stage.clinic("north", admin)
	r.stage.send(testkit.Service, "PUT /v1/clinics/{north}/settings/ehr", connectedToXealth()).OK(t, http.StatusOK)
	for round := range deaths {
		stopped := r.stop(t, round)
		replicas := []*testkit.Process{process, process}
		if round%4 == 0 {
			replicas = append(replicas, survivor)
		}
		var calls sync.WaitGroup
		for _, order := range stopped {
			for _, replica := range replicas {
				calls.Go(func() { replayAs(silent{t}, &replica.App, order) })
			}
		}
		time.Sleep(rand.N(within))
		process.Kill()
		held := r.leases(t)
		if len(replicas) > 2 {
			time.Sleep(settled)
		}
		r.expire(t, held)
		for _, order := range stopped {
			calls.Go(func() { replayAs(silent{t}, &survivor.App, order) })
		}
		process.Start(t, process.Environment())
		calls.Wait()
	}
	for _, order := range r.orders {
		require.Equal(t, http.StatusOK, replayAs(t, &process.App, order))
	}
	r.requireOnce(t)
}

// replays are orders that stopped half-way, and those who replay them.
type replays struct {
	*testkit.Process
	stage  *scene
	orders []string // ids of the stored events
}

func connectedToXealth() map[string]any {
	return map[string]any{
		"enabled": true, "provider": "xealth", "sourceId": "north-epic", "mrnIdType": "EMPI",
		"procedureCodes":   map[string]any{"createAccountAndEnableReports": "program"},
		"scheduledReports": map[string]any{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}
}

// stop has orders of new patients end before there are accounts, and returns the ids of the events.
func (r *replays) stop(t *testing.T, round int) []string {
	t.Helper()
	var stopped []string
	for n := range ordersPerDeath {
		name := fmt.Sprintf("%02d-%d", round, n)
		about := func(more map[string]any) map[string]any {
			message := aboutXena(more)
			message["patientIdentity"] = map[string]any{"ids": []any{map[string]any{"id": "mrn-" + name, "type": "EMPI"}}}
			return message
		}
		r.stage.fromXealth("POST /v1/xealth/preorder", about(map[string]any{
			"eventType": "preorder", "eventContext": "subsequent", "formData": map[string]any{
				"dataTrackingId": name, "userInput": map[string]any{"patient": map[string]any{"email": name + "@example.com", "connectAbbott": true, "connectDexcom": true}},
			},
		})).OK(t, http.StatusOK)
		r.Standin.AddOrder("north-epic", name, about(map[string]any{
			"orderInfo": map[string]any{"deployment": "north-epic", "orderId": name}, "preorder": map[string]any{"dataTrackingId": name},
		}))
		r.Standin.Fail("POST /v1/clinics/", standin.Fault{Status: http.StatusInternalServerError, Times: 1})
		r.stage.fromXealth("POST /v1/xealth/notification", map[string]any{
			"eventId": name, "eventTimeStamp": "2021-01-14T00:23:47.580Z", "eventType": "order", "eventContext": "new",
			"orderId": name, "deployment": "north-epic", "partnerId": "tidepool", "programId": "program",
		}).OK(t, http.StatusInternalServerError)
		events := testkit.Documents(t, r.Store, "xealth_order", bson.D{{Key: "eventNotification.orderId", Value: name}})
		require.Len(t, events, 1)
		stopped = append(stopped, events[0]["_id"].(bson.ObjectID).Hex())
	}
	r.orders = append(r.orders, stopped...)
	return stopped
}

// replayAs replays an order and returns the status; 0 if there is no answer.
func replayAs(t testing.TB, replica *testkit.App, order string) (status int) {
	done := make(chan struct{})
	go func() { // which ends alone if there is no answer
		defer close(done)
		status = replica.Call(t, testkit.Service, http.MethodPost, "/v1/xealth/orders/"+order+"/replay", nil).Status
	}()
	<-done
	return status
}

// leases returns the leases that somebody has.
func (r *replays) leases(t *testing.T) []bson.M {
	t.Helper()
	return testkit.Documents(t, r.Store, store.LeaseCollectionName, bson.D{})
}

// expire has the times end that others wait for when somebody dies at work: of the leases, unless others have taken them, and of
// accounts that are being made.
func (r *replays) expire(t *testing.T, held []bson.M) {
	t.Helper()
	long := time.Now().Add(-time.Hour)
	for _, lease := range held {
		_, err := r.Store.Collection(store.LeaseCollectionName).UpdateOne(t.Context(),
			bson.M{"_id": lease["_id"], "holder": lease["holder"]}, bson.M{"$set": bson.M{"until": long}})
		require.NoError(t, err)
	}
	_, err := r.Store.Collection("patient_creations").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"time": long}})
	require.NoError(t, err)
}

func (r *replays) requireOnce(t *testing.T) {
	t.Helper()
	cursor, err := r.Store.Collection(patients.CollectionName).Find(t.Context(), bson.D{})
	require.NoError(t, err)
	var added []patients.Patient
	require.NoError(t, cursor.All(t.Context(), &added))
	require.Len(t, added, len(r.orders))
	for _, patient := range added {
		for _, provider := range []string{"abbott", "dexcom"} {
			require.Len(t, patient.ProviderConnectionRequests[provider], 1, "the connection is asked for once")
		}
		subscription := patient.EHRSubscriptions[patients.XealthReports]
		require.True(t, subscription.Active)
		require.Len(t, subscription.MatchedMessages, 1)
		account, known := r.Standin.User(*patient.Email)
		require.True(t, known)
		require.Equal(t, patient.UserID, account.UserID)
	}
	for _, event := range testkit.Documents(t, r.Store, "xealth_order", bson.D{}) {
		require.NotNil(t, value(event["derived"].(bson.D), "completedTime"))
	}
}
