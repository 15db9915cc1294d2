package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestReviewsKeepTheNewestTwo(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	patient := w.add(t, nil)
	path := w.patient(patient["id"], "reviews")
	memberID := w.NewMember(t, w.clinicID, "CLINIC_MEMBER")
	member := testkit.User(memberID)
	reviewers := func(r testkit.Response) []any {
		ids := []any{}
		for _, review := range r.OK(t, http.StatusOK).List(t) {
			ids = append(ids, review["clinicianId"])
			require.WithinDuration(t, time.Now(), moment(t, review["time"]), time.Minute)
		}
		return ids
	}
	w.Call(t, testkit.Service, http.MethodPut, path, nil).OK(t, http.StatusForbidden)
	w.Call(t, testkit.Service, http.MethodDelete, path, nil).OK(t, http.StatusForbidden)
	w.Call(t, member, http.MethodDelete, path, nil).Fails(t, http.StatusNotFound, "no review to delete")
	require.Equal(t, []any{memberID}, reviewers(w.Call(t, member, http.MethodPut, path, nil)))
	require.Equal(t, []any{memberID, memberID}, reviewers(w.Call(t, member, http.MethodPut, path, "{}")))
	require.Equal(t, []any{w.adminID, memberID}, reviewers(w.Call(t, w.admin, http.MethodPut, path, nil)))
	require.Regexp(t, `^\[{"clinicianId":"`+w.adminID+`","time":{"\$date":`, string(w.stored(t, patient["id"])["reviews"]))

	w.Call(t, member, http.MethodDelete, path, nil).Fails(t, http.StatusConflict, "conflict: cannot revert review from another clinician")
	require.Equal(t, []any{memberID}, reviewers(w.Call(t, w.admin, http.MethodDelete, path, nil)))
	w.Call(t, w.admin, http.MethodDelete, path, nil).Fails(t, http.StatusConflict, "conflict: cannot revert review from another clinician")
	require.Equal(t, []any{}, reviewers(w.Call(t, member, http.MethodDelete, path, nil)))
	w.Call(t, member, http.MethodDelete, path, nil).Fails(t, http.StatusNotFound, "no review to delete")

	unknown := w.patient(testkit.NewUserID(), "reviews")
	w.Call(t, w.admin, http.MethodPut, unknown, nil).Fails(t, http.StatusNotFound, "patient not found")
	w.Call(t, w.admin, http.MethodDelete, unknown, nil).Fails(t, http.StatusNotFound, "patient not found")
	require.Equal(t, patient["updatedTime"], w.Call(t, w.admin, http.MethodGet, w.patient(patient["id"]), nil).Object(t)["updatedTime"])
}

func TestReviewsThatOlderWritersLeft(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"]
	for _, left := range []any{nil, bson.A{}} {
		w.setPatient(t, id, bson.M{"$set": bson.M{"reviews": left}})
		w.Call(t, w.admin, http.MethodDelete, w.patient(id, "reviews"), nil).Fails(t, http.StatusNotFound, "no review to delete")
		require.Len(t, w.Call(t, w.admin, http.MethodPut, w.patient(id, "reviews"), nil).OK(t, http.StatusOK).List(t), 1)
	}
}

func TestConcurrentReviewsLoseNone(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"]
	require.Equal(t, map[int]int{http.StatusOK: 2}, w.race(t, 2, func() testkit.Response {
		return w.Call(t, w.admin, http.MethodPut, w.patient(id, "reviews"), nil)
	}))
	require.Len(t, w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t)["reviews"], 2)
}
