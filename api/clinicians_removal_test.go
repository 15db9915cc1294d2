package api_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestAClinicWithoutAdminKeepsItsOtherMembersWorking(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/users/"+adminID+"/clinics", nil).OK(t, http.StatusOK)
	require.Empty(t, storedAdmins(t, app, clinicID))
	path := "/v1/clinics/" + clinicID + "/clinicians/" + id
	app.Call(t, testkit.Service, http.MethodPut, path, map[string]any{"email": "", "name": "Mo", "roles": []string{"CLINIC_MEMBER"}}).OK(t, http.StatusOK)
	app.Call(t, testkit.User(id), http.MethodDelete, path, nil).OK(t, http.StatusOK)
}

func TestDeleteClinician(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	members := "/v1/clinics/" + clinicID + "/clinicians/"
	for name, caller := range map[string]func(id string) (caller testkit.Caller, deletedBy any){
		"by an admin":   func(string) (testkit.Caller, any) { return testkit.User(adminID), adminID },
		"by themselves": func(id string) (testkit.Caller, any) { return testkit.User(id), id },
		"by a service":  func(string) (testkit.Caller, any) { return testkit.Service, nil },
	} {
		id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
		stored := storedMember(t, app, clinicID, id)
		by, deletedBy := caller(id)
		response := app.Call(t, by, http.MethodDelete, members+id, nil).OK(t, http.StatusOK)
		require.Empty(t, response.Body)
		records := testkit.Documents(t, app.Store, "clinician_deletions", bson.M{"clinician.userId": id})
		require.Len(t, records, 1, name)
		require.WithinDuration(t, time.Now(), records[0]["deletedTime"].(bson.DateTime).Time(), time.Minute)
		delete(records[0], "_id")
		delete(records[0], "deletedTime")
		delete(records[0], "derived")
		want := bson.M{"clinician": stored}
		if deletedBy != nil {
			want["deletedByUserId"] = deletedBy
		}
		records[0]["clinician"] = asM(t, records[0]["clinician"])
		require.Equal(t, want, records[0], name)
		app.Call(t, testkit.Service, http.MethodDelete, members+id, nil).Fails(t, http.StatusNotFound, "clinician not found")
		require.Len(t, testkit.Documents(t, app.Store, "clinician_deletions", bson.M{"clinician.userId": id}), 1)
	}
	id := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	for _, caller := range []string{app.NewMember(t, clinicID, "CLINIC_MEMBER"), testkit.NewUserID()} {
		app.Call(t, testkit.User(caller), http.MethodDelete, members+id, nil).Fails(t, http.StatusForbidden, notAuthorized)
	}
	app.Call(t, testkit.Service, http.MethodDelete, unknownClinic+"/clinicians/"+id, nil).Fails(t, http.StatusNotFound, "clinic not found")
	legacy := legacyClinic(t, app)
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+legacy+"/clinicians/"+id, nil).
		Fails(t, http.StatusUnprocessableEntity, "constraint violation: clinic is not migrated")
}

// asM returns an inner document in the form in which testkit.Documents returns outer ones.
func asM(t *testing.T, document any) bson.M {
	t.Helper()
	raw, err := bson.Marshal(document)
	require.NoError(t, err)
	var fields bson.M
	require.NoError(t, bson.Unmarshal(raw, &fields))
	return fields
}

func TestTheLastTwoAdminsLeaveAtTheSameTime(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	ways := []func(path string, caller testkit.Caller) testkit.Response{
		func(path string, caller testkit.Caller) testkit.Response {
			return app.Call(t, caller, http.MethodDelete, path, nil)
		},
		func(path string, caller testkit.Caller) testkit.Response {
			return app.Call(t, caller, http.MethodPut, path, map[string]any{"email": "", "roles": []string{"CLINIC_MEMBER"}})
		},
	}
	for round := range 8 {
		clinicID, first := app.NewClinic(t)
		second := app.NewMember(t, clinicID, "CLINIC_ADMIN")
		pair := []string{first, second}
		responses := make([]testkit.Response, len(pair))
		var calls sync.WaitGroup
		for i, id := range pair {
			way := ways[round>>i&1] // all combinations of leaving and being demoted
			calls.Go(func() { responses[i] = way("/v1/clinics/"+clinicID+"/clinicians/"+id, testkit.Service) })
		}
		calls.Wait()
		stays := slices.IndexFunc(responses, func(r testkit.Response) bool { return r.Status != http.StatusOK })
		require.GreaterOrEqual(t, stays, 0)
		responses[stays].Fails(t, http.StatusUnprocessableEntity, lastAdmin)
		responses[1-stays].OK(t, http.StatusOK)
		require.Equal(t, bson.A{pair[stays]}, storedAdmins(t, app, clinicID))
		require.Equal(t, bson.A{"CLINIC_ADMIN"}, storedMember(t, app, clinicID, pair[stays])["roles"])
		require.Empty(t, testkit.Documents(t, app.Store, "clinician_deletions", bson.M{"clinician.userId": pair[stays]}))
	}
}
