package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestListClinicians(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/clinicians"
	add := func(body map[string]any) {
		time.Sleep(2 * time.Millisecond)
		app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK)
	}
	ida, kim := testkit.NewUserID(), testkit.NewUserID()
	add(map[string]any{"id": ida, "email": "ida@west.example.com", "roles": []string{"CLINIC_MEMBER", "PRESCRIBER"}, "name": "Ida Berg"})
	add(map[string]any{"inviteId": "invite-1", "email": "Jan@West.example.com", "roles": []string{"CLINIC_ADMIN"}})
	add(map[string]any{"id": kim, "email": "", "roles": []string{"CLINIC_MEMBER"}, "name": "Kim Idasson"})
	list := func(query url.Values) []string {
		keys := []string{}
		for _, row := range app.Call(t, testkit.User(ida), http.MethodGet, path+"?"+query.Encode(), nil).OK(t, http.StatusOK).List(t) {
			key, ok := row["id"].(string)
			if !ok {
				key = row["inviteId"].(string)
			}
			keys = append(keys, key)
		}
		return keys
	}
	for name, test := range map[string]struct {
		query url.Values
		want  []string
	}{
		"all, the newest first": {nil, []string{kim, "invite-1", ida, adminID}},
		"a page":                {url.Values{"offset": {"1"}, "limit": {"2"}}, []string{"invite-1", ida}},
		"past the end":          {url.Values{"offset": {"4"}}, []string{}},
		"by address":            {url.Values{"email": {"JAN@west.example.com"}}, []string{"invite-1"}},
		"by role":               {url.Values{"role": {"CLINIC_MEMBER"}}, []string{kim, ida}},
		"by an unknown role":    {url.Values{"role": {"BOSS"}}, []string{}},
		"by role and address":   {url.Values{"role": {"CLINIC_ADMIN"}, "email": {"ida@west.example.com"}}, []string{}},
		"by a word":             {url.Values{"search": {"WEST"}}, []string{"invite-1", ida}},
		"by a part of a name":   {url.Values{"search": {"ida"}}, []string{ida, kim}}, // ida is found in the address too
		"by a whole name":       {url.Values{"search": {"kim idas"}}, []string{kim}},
		"by a word and role":    {url.Values{"search": {"west"}, "role": {"PRESCRIBER"}}, []string{ida}},
		"a page of the found":   {url.Values{"search": {"west"}, "offset": {"1"}, "limit": {"5"}}, []string{ida}},
		"past the found":        {url.Values{"search": {"west"}, "offset": {"7"}}, []string{}},
		"by a pattern":          {url.Values{"search": {".*"}}, []string{}},
	} {
		require.Equal(t, test.want, list(test.query), name)
	}
	rows := app.Call(t, testkit.Service, http.MethodGet, path+"?search=west", nil).List(t)
	require.Equal(t, rows[1], app.Call(t, testkit.Service, http.MethodGet, path+"/"+ida, nil).Object(t), "what is found is complete")
	app.Call(t, testkit.Service, http.MethodGet, path+"?search=%ff", nil).OK(t, http.StatusBadRequest)
	for _, query := range []string{"limit=0", "offset=-1", "search=", "role=", "email="} {
		app.Call(t, testkit.Service, http.MethodGet, path+"?"+query, nil).OK(t, http.StatusBadRequest)
	}
	for _, caller := range []string{testkit.NewUserID(), app.NewMember(t, clinicID, "PRESCRIBER")} {
		app.Call(t, testkit.User(caller), http.MethodGet, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
	}
	require.Empty(t, app.Call(t, testkit.Service, http.MethodGet, unknownClinic+"/clinicians", nil).OK(t, http.StatusOK).List(t))
}

func TestGetClinicianShowsWhatOlderWritersStored(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, adminID := app.NewClinic(t)
	id := testkit.NewUserID()
	_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), bson.M{"clinicId": oid(t, clinicID), "userId": id, "roles": nil})
	require.NoError(t, err)
	path := "/v1/clinics/" + clinicID + "/clinicians/"
	require.Equal(t, map[string]any{
		"id": id, "email": "", "roles": nil, "createdTime": "0001-01-01T00:00:00Z", "updatedTime": "0001-01-01T00:00:00Z",
	}, app.Call(t, testkit.User(adminID), http.MethodGet, path+id, nil).OK(t, http.StatusOK).Object(t))
	app.Call(t, testkit.User(adminID), http.MethodPut, path+id, map[string]any{"email": "", "roles": []string{"CLINIC_MEMBER"}}).OK(t, http.StatusOK)
	for _, missing := range []string{path + testkit.NewUserID(), unknownClinic + "/clinicians/" + id} {
		app.Call(t, testkit.Service, http.MethodGet, missing, nil).Fails(t, http.StatusNotFound, "clinician not found")
	}
	app.Call(t, testkit.User(id), http.MethodGet, path+adminID, nil).OK(t, http.StatusOK)
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodGet, path+id, nil).Fails(t, http.StatusForbidden, notAuthorized)
}
