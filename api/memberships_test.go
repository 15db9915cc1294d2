package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func jsonOf(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return encoded
}

func TestListClinicsForClinician(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := testkit.NewUserID()
	var clinicIDs []string
	for range 3 {
		clinicID, _ := app.NewClinic(t)
		time.Sleep(2 * time.Millisecond)
		app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/clinicians", map[string]any{
			"id": userID, "email": userID + "@example.com", "roles": []string{"CLINIC_MEMBER"},
		}).OK(t, http.StatusOK)
		clinicIDs = append([]string{clinicID}, clinicIDs...) // the newest first
	}
	_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), bson.M{"clinicId": bson.NewObjectID(), "userId": userID}) // without clinic
	require.NoError(t, err)
	path := "/v1/clinicians/" + userID + "/clinics"
	list := func(query string) []string {
		ids := []string{}
		for _, row := range app.Call(t, testkit.User(userID), http.MethodGet, path+query, nil).OK(t, http.StatusOK).List(t) {
			require.Equal(t, userID, row["clinician"].(map[string]any)["id"])
			clinic := row["clinic"].(map[string]any)
			require.Equal(t, clinic, app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinic["id"].(string), nil).Object(t))
			ids = append(ids, clinic["id"].(string))
		}
		return ids
	}
	require.Equal(t, clinicIDs, list(""))
	require.Equal(t, clinicIDs[1:2], list("?limit=1&offset=1"))
	require.Empty(t, list("?offset=9"))
	app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK)
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodGet, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
	require.JSONEq(t, "[]", string(app.Call(t, testkit.Service, http.MethodGet, "/v1/clinicians/0000000000/clinics", nil).OK(t, http.StatusOK).Body))
}

func TestListAllClinicians(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinicID, adminID := app.NewClinic(t)
	time.Sleep(2 * time.Millisecond)
	second, secondAdmin := app.NewClinic(t)
	time.Sleep(2 * time.Millisecond)
	newInvite(t, app, clinicID, "nurse", "", "CLINIC_MEMBER")
	list := func(query url.Values) []string {
		keys := []string{}
		for _, row := range app.Call(t, testkit.Service, http.MethodGet, "/v1/clinicians?"+query.Encode(), nil).OK(t, http.StatusOK).List(t) {
			member := row["clinician"].(map[string]any)
			key, ok := member["id"].(string)
			if !ok {
				key = member["inviteId"].(string)
			}
			keys = append(keys, row["clinic"].(map[string]any)["id"].(string)+" "+key)
		}
		return keys
	}
	all := []string{clinicID + " nurse", second + " " + secondAdmin, clinicID + " " + adminID}
	require.Equal(t, all, list(nil))
	require.Equal(t, all[1:2], list(url.Values{"limit": {"1"}, "offset": {"1"}}))
	created := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+second+"/clinicians/"+secondAdmin, nil).Object(t)["createdTime"].(string)
	require.Equal(t, all[:2], list(url.Values{"createdTimeStart": {created}}), "from that time on")
	require.Equal(t, all[2:], list(url.Values{"createdTimeEnd": {created}}), "before that time")
	for _, caller := range []string{adminID, testkit.NewUserID()} {
		app.Call(t, testkit.User(caller), http.MethodGet, "/v1/clinicians", nil).Fails(t, http.StatusForbidden, notAuthorized)
	}
}
