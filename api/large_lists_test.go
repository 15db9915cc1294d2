package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestLongListsOfClinicsAndMembersAreWhole asks for lists that are sent in many parts.
func TestLongListsOfClinicsAndMembersAreWhole(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it stores and removes a thousand documents of several kilobytes, which takes a minute there")
	app := testkit.Start(t)
	const number = 450
	user, tag := testkit.NewUserID(), bson.NewObjectID()
	clinics, members := make([]any, 0, number), make([]any, 0, number)
	long := strings.Repeat("A long street with many houses ", 200)
	for i := range number {
		id, code := bson.NewObjectID(), fmt.Sprintf("%012d", i)
		clinics = append(clinics, bson.M{
			"_id": id, "name": fmt.Sprint("Clinic ", i), "address": long, "canonicalShareCode": code, "shareCodes": bson.A{code}, "admins": bson.A{user},
			"patientTags": bson.A{bson.M{"_id": tag, "name": "Tag"}}, "createdTime": time.Unix(int64(i), 0), "updatedTime": time.Unix(0, 0), "isMigrated": true,
		})
		members = append(members, bson.M{"clinicId": id, "userId": user, "name": long, "roles": bson.A{"CLINIC_ADMIN"}, "createdTime": time.Unix(int64(i), 0), "updatedTime": time.Unix(0, 0)})
	}
	crowded := clinics[7].(bson.M)["_id"].(bson.ObjectID)
	for i := range number {
		members = append(members, bson.M{"clinicId": crowded, "userId": testkit.NewUserID(), "name": long, "roles": bson.A{"CLINIC_MEMBER"}, "createdTime": time.Unix(int64(number+i), 0), "updatedTime": time.Unix(0, 0)})
	}
	for collection, documents := range map[string][]any{"clinics": clinics, "clinicians": members} {
		_, err := app.Store.Collection(collection).InsertMany(t.Context(), documents)
		require.NoError(t, err)
	}
	_, err := app.Store.Collection("patients").InsertOne(t.Context(), bson.M{"clinicId": crowded, "userId": testkit.NewUserID(), "tags": bson.A{tag}})
	require.NoError(t, err)

	list := func(path string) []map[string]any {
		answer := app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK)
		require.Greater(t, len(answer.Body), 2<<20, "one part is a megabyte")
		return answer.List(t)
	}
	numPatients := func(clinic any) any {
		return clinic.(map[string]any)["patientTags"].([]any)[0].(map[string]any)["numPatients"]
	}
	all := list("/v1/clinics?limit=1000")
	require.Len(t, all, number)
	require.Equal(t, []any{"Clinic 0", "Clinic 449"}, []any{all[0]["name"], all[number-1]["name"]})
	require.InDelta(t, 1, numPatients(all[7]), 0)
	require.Len(t, list("/v1/clinics?limit=400&offset=40"), 400)

	mine := list("/v1/clinicians/" + user + "/clinics?limit=1000")
	require.Len(t, mine, number)
	require.Equal(t, "Clinic 449", mine[0]["clinic"].(map[string]any)["name"], "the newest first")
	require.InDelta(t, 1, numPatients(mine[number-1-7]["clinic"]), 0)
	require.Nil(t, numPatients(mine[0]["clinic"]))

	everyone := list("/v1/clinicians?limit=1000")
	require.Len(t, everyone, 2*number)
	require.InDelta(t, 1, numPatients(everyone[0]["clinic"]), 0, "a clinic that stands there more than once")
	require.Len(t, list("/v1/clinics/"+crowded.Hex()+"/clinicians?limit=1000"), number+1)
	require.Len(t, list("/v1/clinics/"+crowded.Hex()+"/clinicians?limit=1000&search=houses"), number+1)

	patients, wanderer := make([]any, 0, 2*number), testkit.NewUserID()
	for i := range number {
		patients = append(patients,
			bson.M{"clinicId": crowded, "userId": testkit.NewUserID(), "fullName": long, "birthDate": "1990-05-06"},
			bson.M{"clinicId": clinics[i].(bson.M)["_id"], "userId": wanderer, "fullName": long, "birthDate": "1990-05-07"})
	}
	_, err = app.Store.Collection("patients").InsertMany(t.Context(), patients)
	require.NoError(t, err)
	require.Len(t, list("/v1/patients/"+wanderer+"/clinics?limit=1000"), number)
	answer := app.Call(t, testkit.User(user), http.MethodGet, "/v1/patients?birthDate=1990-05-06&limit=1000", nil).OK(t, http.StatusOK)
	require.Len(t, answer.List(t), number)
}
