package races_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestTheLastPlaceUnderTheLimitIsTakenOnce(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		a.set(t, bson.M{"country": "US", "patientCountSettings": bson.M{"hardLimit": bson.M{"plan": 3}}})
		a.create(t, 0, nil)().OK(t, http.StatusOK)
		a.create(t, 1, nil)().OK(t, http.StatusOK)
		var calls []func() testkit.Response
		for i := range 10 {
			calls = append(calls, a.create(t, i, nil))
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusPaymentRequired: 9}, statuses(together(calls...)))
		require.Len(t, a.patients(t), 3)
		a.requireCounts(t)
	})
}

func TestNoPatientIsLostWithAClinicThatIsDeleted(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		answers := together(
			a.call(t, 0, http.MethodDelete, "", nil),
			a.create(t, 1, nil), a.create(t, 0, map[string]any{"email": testkit.NewUserID() + "@example.com"}), a.create(t, 1, nil),
		)
		created := statuses(answers[1:])
		require.Equal(t, 3, created[http.StatusOK]+created[http.StatusNotFound], created)
		stored := a.patients(t)
		require.Len(t, stored, created[http.StatusOK], "what was answered is what is stored")
		left := testkit.Documents(t, a.Store, "clinics", bson.M{"_id": a.clinicID})
		if len(stored) > 0 {
			require.Len(t, left, 1, "patients without a clinic")
			require.Equal(t, http.StatusBadRequest, answers[0].Status, string(answers[0].Body))
			a.requireCounts(t)
		} else {
			require.Empty(t, left)
		}
	})
}

// spellings are one medical record number.
var spellings = []string{"Zürich-ab1", "zurich-AB1", "ZÜRICH-ab1", "zúrich-Ab1"}

func TestSpellingsOfOneNumberAreOneNumber(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		a.set(t, bson.M{"mrnSettings": bson.M{"required": true, "unique": true}})
		var calls []func() testkit.Response
		for i, mrn := range spellings {
			calls = append(calls, a.create(t, i, map[string]any{"mrn": mrn}))
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusBadRequest: len(spellings) - 1}, statuses(together(calls...)))
		require.Len(t, a.patients(t), 1)

		// Changing a number is no way around it.
		calls = nil
		for i, mrn := range []string{"Größe", "grÖße", "GRÖßE"} {
			id := a.create(t, i, map[string]any{"mrn": testkit.NewUserID()})().OK(t, http.StatusOK).Object(t)["id"].(string)
			calls = append(calls, a.call(t, i, http.MethodPut, "/patients/"+id, map[string]any{"fullName": "Bea", "birthDate": "2001-02-03", "mrn": mrn}))
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusBadRequest: 2}, statuses(together(calls...)))
		a.requireCounts(t)
	})
}

func TestAccountAndPatientEndWithTheSameAddress(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		for _, age := range []time.Duration{0, time.Hour} { // who was left alone for a while is changed without a turn
			name := testkit.NewUserID()
			id := a.create(t, 0, map[string]any{"email": name + "@example.com"})().OK(t, http.StatusOK).Object(t)["id"].(string)
			patient := bson.M{"userId": id}
			_, err := a.Store.Collection("patients").UpdateOne(t.Context(), patient, bson.M{"$set": bson.M{"updatedTime": time.Now().Add(-age)}})
			require.NoError(t, err)
			var calls []func() testkit.Response
			for i, address := range []string{"a" + name, "b" + name, name, "c" + name} {
				calls = append(calls, a.call(t, i, http.MethodPut, "/patients/"+id, map[string]any{
					"fullName": "Ann", "birthDate": "2001-02-03", "email": address + "@example.com",
				}))
			}
			require.Equal(t, map[int]int{http.StatusOK: len(calls)}, statuses(together(calls...)))
			account, ok := a.Standin.User(id)
			require.True(t, ok)
			require.Equal(t, account.Username, testkit.Documents(t, a.Store, "patients", patient)[0]["email"])
		}
	})
}

func TestARepeatedCreationWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		body := map[string]any{"email": testkit.NewUserID() + "@example.com"}
		answers := statuses(together(a.create(t, 0, body), a.create(t, 1, body), a.create(t, 0, body)))
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: 2}, answers)
		require.Len(t, a.patients(t), 1)
		require.Empty(t, testkit.Documents(t, a.Store, "patient_creations", bson.M{"clinicId": a.clinicID}))
		a.requireCounts(t)
	})
}

func TestCountsAreExactAfterEverythingAtOnce(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		tag := a.call(t, 0, http.MethodPost, "/patient_tags", map[string]any{"name": "tag"})().OK(t, http.StatusOK).Object(t)["id"].(string)
		var ids []string
		for i := range 4 {
			ids = append(ids, a.create(t, i, map[string]any{"dataSources": []any{map[string]any{"providerName": "dexcom", "state": "connected"}}})().OK(t, http.StatusOK).Object(t)["id"].(string))
		}
		update := map[string]any{"fullName": "Bea", "birthDate": "2001-02-03", "tags": []string{tag}}
		together(
			a.call(t, 0, http.MethodPost, "/patients/assign_tag/"+tag, nil),
			a.call(t, 1, http.MethodPut, "/patients/"+ids[0], update),
			a.call(t, 0, http.MethodPut, "/patients/"+ids[1], update),
			a.call(t, 1, http.MethodDelete, "/patients/"+ids[1], nil),
			a.call(t, 0, http.MethodDelete, "/patients/"+ids[2], nil),
			a.call(t, 1, http.MethodDelete, "/patients/"+ids[2], nil),
			a.call(t, 1, http.MethodPost, "/patients/delete_tag/"+tag, nil),
			a.call(t, 0, http.MethodPost, "/patient_count/refresh", nil),
			a.call(t, 1, http.MethodPost, "/patient_count/refresh", nil),
			a.create(t, 0, map[string]any{"tags": []string{tag}}),
			a.create(t, 1, nil),
		)
		a.requireCounts(t)
	})
}

func TestAPatientComesAfterAMergeThatWasGivenUp(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		numbers := testkit.Census(a.Store, "")
		require.NoError(t, numbers.Close(t.Context(), a.clinicID, time.Minute))
		answers := together(a.create(t, 0, nil), a.create(t, 1, nil), func() testkit.Response {
			time.Sleep(100 * time.Millisecond)
			return testkit.Response{Status: map[bool]int{true: 0, false: 1}[numbers.Open(t.Context(), a.clinicID) == nil]}
		})
		require.Equal(t, map[int]int{0: 1, http.StatusOK: 2}, statuses(answers))
		require.Len(t, a.patients(t), 2)
		a.requireCounts(t)
	})
}
