package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
)

// subscribed stores a patient who is subscribed by an order, and returns the ids of both.
func (e ehr) subscribed(t *testing.T, extra bson.M) (userID, message string) {
	t.Helper()
	userID = e.timothy(t, extra)
	message = e.send(t, e.order())
	e.match(t, message, "ENABLE_REPORTS", "MRN").OK(t, http.StatusOK)
	require.True(t, e.reports(t, userID).Active)
	return userID, message
}

func (e ehr) syncClinic(t *testing.T, caller testkit.Caller) testkit.Response {
	t.Helper()
	return e.Call(t, caller, http.MethodPost, "/v1/clinics/"+e.clinicID+"/ehr/sync", nil)
}

func (e ehr) syncPatient(t *testing.T, userID string) testkit.Response {
	t.Helper()
	return e.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+userID+"/ehr/sync", nil)
}

func (e ehr) scheduled(t *testing.T, userID string) []bson.M {
	t.Helper()
	return testkit.Documents(t, e.Store, redox.ScheduledCollectionName, bson.M{"userId": userID})
}

func TestSyncSchedulesACopyOfTheLastOrder(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	user, message := e.subscribed(t, nil)
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)

	answer := e.syncClinic(t, testkit.Service).OK(t, http.StatusAccepted)
	require.Empty(t, answer.Body)

	first := e.scheduled(t, user)
	require.Len(t, first, 1)
	id, err := bson.ObjectIDFromHex(message)
	require.NoError(t, err)
	stored := testkit.Documents(t, e.Store, redox.MessagesCollectionName, bson.M{"_id": id})[0]
	require.Equal(t, bson.M{
		"_id": first[0]["_id"].(bson.ObjectID), "userId": user, "clinicId": clinicID, "createdTime": first[0]["createdTime"].(bson.DateTime),
		"lastMatchedOrder": bson.D{{Key: "_id", Value: id}, {Key: "meta", Value: stored["meta"]}, {Key: "message", Value: stored["message"]}},
	}, first[0])
	require.WithinDuration(t, time.Now(), first[0]["createdTime"].(bson.DateTime).Time(), time.Minute)

	require.Empty(t, e.syncPatient(t, user).OK(t, http.StatusAccepted).Body)

	both := e.scheduled(t, user)
	require.Len(t, both, 2)
	require.Equal(t, first[0], both[0], "what was written is never touched")
	require.Equal(t, bson.D{{Key: "_id", Value: first[0]["_id"]}, {Key: "createdTime", Value: first[0]["createdTime"]}}, both[1]["precedingDocument"])
	require.Equal(t, first[0]["lastMatchedOrder"], both[1]["lastMatchedOrder"])
}

func TestCopyOfARedeliveryHoldsNothingBesidesTheMessage(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	user, message := e.subscribed(t, nil)
	id, err := bson.ObjectIDFromHex(message)
	require.NoError(t, err)
	_, err = e.Store.Collection(redox.MessagesCollectionName).UpdateByID(t.Context(), id, bson.M{"$set": bson.M{"derived": bson.M{"redeliveryOf": bson.NewObjectID()}}})
	require.NoError(t, err)
	e.syncClinic(t, testkit.Service).OK(t, http.StatusAccepted)
	for _, element := range e.scheduled(t, user)[0]["lastMatchedOrder"].(bson.D) {
		require.Contains(t, []string{"_id", "meta", "message"}, element.Key)
	}
}

func TestSyncLeavesOutWhoHasNothingToSend(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	gone := bson.M{"id": bson.NewObjectID(), "dataModel": "Order", "eventType": "New"}
	subscription := func(active bool, messages ...any) bson.M {
		return bson.M{"ehrSubscriptions": bson.M{"summaryAndReports": bson.M{"active": active, "provider": "redox", "matchedMessages": messages}}}
	}
	off, _ := e.subscribed(t, nil)
	e.match(t, e.send(t, e.order()), "DISABLE_REPORTS", "MRN").OK(t, http.StatusOK)
	users := []string{
		off,
		e.timothy(t, bson.M{"mrn": "never subscribed"}),
		e.timothy(t, subscription(true, gone)),
		e.timothy(t, subscription(true)),
		e.timothy(t, bson.M{"ehrSubscriptions": bson.M{"xealthReports": bson.M{"active": true, "provider": "xealth", "matchedMessages": bson.A{gone}}}}),
	}
	e.syncClinic(t, testkit.Service).OK(t, http.StatusAccepted)
	for _, user := range users {
		e.syncPatient(t, user).OK(t, http.StatusAccepted)
		require.Empty(t, e.scheduled(t, user))
	}
}

func TestClinicSyncNeedsAnEnabledRedoxIntegration(t *testing.T) {
	t.Parallel()
	const text = "not found: couldn't find a matching clinic"
	newEHR(t, map[string]any{"enabled": false}).syncClinic(t, testkit.Service).Fails(t, http.StatusNotFound, text)
	newEHR(t, map[string]any{"provider": "xealth"}).syncClinic(t, testkit.Service).Fails(t, http.StatusNotFound, text)
	e := newEHR(t, map[string]any{"scheduledReports": map[string]any{"cadence": "DISABLED", "onUploadEnabled": false}})
	e.syncClinic(t, testkit.Service).OK(t, http.StatusAccepted)
	e.syncClinic(t, testkit.User(testkit.NewUserID())).OK(t, http.StatusForbidden)
	unconnected := e
	unconnected.clinicID, _ = e.NewClinic(t)
	unconnected.syncClinic(t, testkit.Service).Fails(t, http.StatusNotFound, text)
	unconnected.clinicID = bson.NewObjectID().Hex()
	unconnected.syncClinic(t, testkit.Service).Fails(t, http.StatusNotFound, text)
	unconnected.clinicID = "5f"
	unconnected.syncClinic(t, testkit.Service).OK(t, http.StatusBadRequest)
}

func TestPatientSyncNeedsAClinicThatWantsReportsOnUpload(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	silent := newEHR(t, map[string]any{"scheduledReports": map[string]any{"cadence": "1d", "onUploadEnabled": false}})
	user, _ := e.subscribed(t, nil)
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	for _, other := range []ehr{silent, newEHR(t, map[string]any{"scheduledReports": map[string]any{"cadence": "DISABLED", "onUploadEnabled": true}})} {
		other.subscribed(t, bson.M{"userId": user})
	}
	e.syncPatient(t, user).OK(t, http.StatusAccepted)
	scheduled := e.scheduled(t, user)
	require.Len(t, scheduled, 2, "of three clinics one wants no reports on upload")
	require.Contains(t, []any{scheduled[0]["clinicId"], scheduled[1]["clinicId"]}, clinicID)
	require.Equal(t, scheduled[0]["createdTime"], scheduled[1]["createdTime"])

	e.syncPatient(t, testkit.NewUserID()).OK(t, http.StatusAccepted)
	e.syncPatient(t, "nobody").OK(t, http.StatusBadRequest)
	e.Call(t, testkit.User(user), http.MethodPost, "/v1/patients/"+user+"/ehr/sync", nil).OK(t, http.StatusForbidden)
}

func TestAnotherMRNEndsSubscriptionsForGood(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	mrn := "mrn-" + testkit.NewUserID()
	user := e.NewPatient(t, e.clinicID, "Timothy Bixby", map[string]any{"birthDate": "2008-01-06", "mrn": mrn})["id"].(string)
	order := e.order()
	at(order, "Patient")["Identifiers"] = []any{map[string]any{"ID": mrn, "IDType": "MR"}}
	e.match(t, e.send(t, order), "ENABLE_REPORTS", "MRN_DOB").OK(t, http.StatusOK)
	before := e.reports(t, user)
	require.True(t, before.Active)

	for _, number := range []string{"another", mrn} {
		e.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+e.clinicID+"/patients/"+user, map[string]any{
			"fullName": "Timothy Bixby", "birthDate": "2008-01-06", "mrn": number,
		}).OK(t, http.StatusOK)
		after := e.reports(t, user)
		require.False(t, after.Active)
		require.Equal(t, before.MatchedMessages, after.MatchedMessages)
		require.Equal(t, before.UpdatedAt, after.UpdatedAt)
		e.syncClinic(t, testkit.Service).OK(t, http.StatusAccepted)
		require.Empty(t, e.scheduled(t, user))
	}
}
