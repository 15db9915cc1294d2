package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestUpdatePatientPermissionsReplacesThem(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	patient := w.add(t, nil)
	id := patient["id"].(string)
	path := w.patient(id, "permissions")
	for _, caller := range []testkit.Caller{w.admin, testkit.Service, testkit.User(testkit.NewUserID())} {
		w.Call(t, caller, http.MethodPut, path, map[string]any{"view": map[string]any{}}).OK(t, http.StatusForbidden)
	}
	w.Call(t, testkit.User(id), http.MethodPut, path, map[string]any{"view": nil}).OK(t, http.StatusBadRequest)
	for range 2 {
		answer := w.Call(t, testkit.User(id), http.MethodPut, path, `{"custodian": {}, "view": {"a": 1}, "note": {}}`).OK(t, http.StatusOK)
		require.JSONEq(t, `{"view": {}, "note": {}}`, string(answer.Body))
	}
	document := w.stored(t, id)
	require.JSONEq(t, `{"view": {}, "note": {}}`, string(document["permissions"]))
	read := w.Call(t, w.admin, http.MethodGet, w.patient(id), nil).Object(t)
	require.True(t, moment(t, read["updatedTime"]).After(moment(t, patient["updatedTime"])))
	unknown := testkit.NewUserID()
	w.Call(t, testkit.User(unknown), http.MethodPut, w.patient(unknown, "permissions"), map[string]any{"view": map[string]any{}}).
		Fails(t, http.StatusNotFound, "patient not found")
	w.Call(t, testkit.User(unknown), http.MethodPut, w.patient(unknown, "permissions"), nil).Fails(t, http.StatusNotFound, "patient not found")
}

func TestUpdatePatientPermissionsToNothingRemovesThePatient(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	for name, body := range map[string]any{"absent": nil, "empty": "{}", "only custodian": `{"custodian": {}}`} {
		id := w.add(t, nil)["id"].(string)
		answer := w.Call(t, testkit.User(id), http.MethodPut, w.patient(id, "permissions"), body).OK(t, http.StatusNoContent)
		require.Empty(t, answer.Body)
		records := w.deletions(t, id)
		require.Len(t, records, 1, name)
		require.Equal(t, id, records[0]["deletedByUserId"])
		require.JSONEq(t, allPermissions, string(fields(t, records[0]["patient"])["permissions"]), "as they were before the request")
		w.Call(t, testkit.User(id), http.MethodPut, w.patient(id, "permissions"), body).Fails(t, http.StatusNotFound, "patient not found")
	}
	require.Zero(t, w.count(t)["total"])
}

func TestDeletePatientPermission(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	call := func(caller testkit.Caller, permission string) testkit.Response {
		return w.Call(t, caller, http.MethodDelete, w.patient(id, "permissions", permission), nil)
	}
	self := testkit.User(id)
	call(self, "all").OK(t, http.StatusBadRequest)
	call(testkit.Service, "view").OK(t, http.StatusForbidden)
	call(w.admin, "custodian").OK(t, http.StatusForbidden)
	call(testkit.Service, "custodian").OK(t, http.StatusNoContent)
	require.JSONEq(t, `{"view": {}, "upload": {}, "note": {}}`, string(w.stored(t, id)["permissions"]))
	call(testkit.Service, "custodian").Fails(t, http.StatusNotFound, "permission not found")
	call(self, "view").OK(t, http.StatusNoContent)
	call(self, "upload").OK(t, http.StatusNoContent)
	require.JSONEq(t, `{"note": {}}`, string(w.stored(t, id)["permissions"]))

	call(self, "note").OK(t, http.StatusNoContent)
	records := w.deletions(t, id)
	require.Len(t, records, 1)
	require.Equal(t, id, records[0]["deletedByUserId"])
	require.JSONEq(t, `{}`, string(fields(t, records[0]["patient"])["permissions"]))
	require.JSONEq(t, `"Ann"`, string(fields(t, records[0]["patient"])["fullName"]))
	call(self, "note").Fails(t, http.StatusNotFound, "permission not found")
	require.Zero(t, w.count(t)["total"])
}

func TestLastPermissionRemovedByAServiceNamesThePatient(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := newPerson(t, w.App)
	w.Call(t, testkit.Service, http.MethodPost, w.patient(id), `{"permissions": {"custodian": {}}}`).OK(t, http.StatusOK)
	w.Call(t, testkit.Service, http.MethodDelete, w.patient(id, "permissions", "custodian"), nil).OK(t, http.StatusNoContent)
	require.Equal(t, id, w.deletions(t, id)[0]["deletedByUserId"])
}

func TestPermissionsThatOlderWritersLeft(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	for name, permissions := range map[string]any{"null": nil, "empty": bson.M{}, "null member": bson.M{"view": nil, "note": bson.M{}}} {
		w.setPatient(t, id, bson.M{"$set": bson.M{"permissions": permissions}})
		w.Call(t, testkit.User(id), http.MethodDelete, w.patient(id, "permissions", "view"), nil).Fails(t, http.StatusNotFound, "permission not found")
		require.Contains(t, w.stored(t, id), "permissions", name)
	}
	w.setPatient(t, id, bson.M{"$unset": bson.M{"permissions": ""}})
	w.Call(t, testkit.User(id), http.MethodDelete, w.patient(id, "permissions", "view"), nil).Fails(t, http.StatusNotFound, "permission not found")
}

func TestConcurrentRevocationsRemoveThePatientOnce(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	permissions := make(chan string, 4)
	for _, name := range []string{"custodian", "view", "upload", "note"} {
		permissions <- name
	}
	statuses := w.race(t, 4, func() testkit.Response {
		return w.Call(t, testkit.User(id), http.MethodDelete, w.patient(id, "permissions", <-permissions), nil)
	})
	require.Equal(t, map[int]int{http.StatusNoContent: 4}, statuses)
	require.Len(t, w.deletions(t, id), 1)
	require.Zero(t, w.count(t)["total"])
}
