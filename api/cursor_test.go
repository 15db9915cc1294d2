package api_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// pageBehind asks for a page of a list behind a cursor, and returns its entries and the next cursor, "" on the last page.
func pageBehind(t *testing.T, app *testkit.App, caller testkit.Caller, path string, query url.Values, cursor string) (rows []map[string]any, next string) {
	t.Helper()
	sent := url.Values{"cursor": {cursor}}
	for name, values := range query {
		sent[name] = values
	}
	answer := app.Call(t, caller, http.MethodGet, path+"?"+sent.Encode(), nil).OK(t, http.StatusOK)
	if answer.Body[0] == '[' {
		return answer.List(t), answer.Header.Get("X-Next-Cursor")
	}
	content := answer.Object(t)
	for _, row := range content["data"].([]any) {
		rows = append(rows, row.(map[string]any))
	}
	next, _ = content["meta"].(map[string]any)["nextCursor"].(string)
	return rows, next
}

func TestPatientsGoOnBehindACursor(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/patients"
	var made []string
	for i := range 7 {
		made = append(made, app.NewPatient(t, clinicID, fmt.Sprintf("Cursor %d", i), nil)["id"].(string))
	}
	query := url.Values{"limit": {"3"}, "search": {"cursor"}}
	first, next := pageBehind(t, app, testkit.User(admin), path, query, "")
	require.Equal(t, made[:3], idsOf(first))
	require.NotEmpty(t, next)
	decoded, err := base64.RawURLEncoding.DecodeString(next)
	require.NoError(t, err)
	require.NotContains(t, string(decoded), "Cursor", "no name can be read in a cursor")

	// The patient with whom the page ended goes, and another one comes before the next page.
	app.Call(t, testkit.User(admin), http.MethodDelete, path+"/"+made[2], nil).OK(t, http.StatusNoContent)
	app.NewPatient(t, clinicID, "Cursor 0 too", nil)
	second, next := pageBehind(t, app, testkit.Service, path, query, next)
	require.Equal(t, made[3:6], idsOf(second))
	query.Set("limit", "10")
	third, next := pageBehind(t, app, testkit.Service, path, query, next)
	require.Equal(t, made[6:], idsOf(third))
	require.Empty(t, next)

	plain := app.Call(t, testkit.Service, http.MethodGet, path+"?limit=1", nil).OK(t, http.StatusOK)
	require.NotContains(t, string(plain.Body), "nextCursor", "who does not know cursors gets what there was before")
}

func idsOf(rows []map[string]any) []string {
	ids := []string{}
	for _, row := range rows {
		ids = append(ids, row["id"].(string))
	}
	return ids
}

func TestCursorsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	other, _ := app.NewClinic(t)
	colleague := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	for i := range 3 {
		app.NewPatient(t, clinicID, fmt.Sprintf("Some %d", i), nil)
	}
	list := "/v1/clinics/" + clinicID + "/patients"
	_, cursor := pageBehind(t, app, testkit.Service, list, url.Values{"limit": {"1"}}, "")
	_, found := pageBehind(t, app, testkit.User(admin), "/v1/patients", url.Values{"limit": {"1"}}, "")
	require.NotEmpty(t, found)
	patient, records := recordsWithoutTheFirst(t, app)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+other+"/clinicians", map[string]any{
		"id": admin, "email": admin + "@example.com", "roles": []string{"CLINIC_MEMBER"},
	}).OK(t, http.StatusOK)
	_, memberships := pageBehind(t, app, testkit.Service, "/v1/clinicians/"+admin+"/clinics", url.Values{"limit": {"1"}}, "")
	require.NotEmpty(t, memberships)
	changed := []byte(cursor)
	changed[len(changed)/2] ^= 1
	for name, test := range map[string]struct{ path, query, reason string }{
		"another clinic":     {"/v1/clinics/" + other + "/patients", "cursor=" + cursor, "cursor_foreign"},
		"another list":       {"/v1/clinics/" + clinicID + "/clinicians", "cursor=" + cursor, "cursor_foreign"},
		"clinics":            {"/v1/clinics", "cursor=" + cursor, "cursor_foreign"},
		"all members":        {"/v1/clinicians", "cursor=" + cursor, "cursor_foreign"},
		"another filter":     {list, "search=some&cursor=" + cursor, "cursor_foreign"},
		"another order":      {list, "sort=-fullName&sortType=cgm&cursor=" + cursor, "cursor_foreign"},
		"an export":          {list + "_export", "search=some&cursor=" + cursor, "cursor_foreign"},
		"no cursor":          {list, "cursor=abc", "cursor_invalid"},
		"no base64":          {list, "cursor=%3D%3D", "cursor_invalid"},
		"cut off":            {list, "cursor=" + cursor[:len(cursor)-4], "cursor_invalid"},
		"changed":            {list, "cursor=" + string(changed), "cursor_invalid"},
		"of another version": {list, "cursor=Ag" + cursor[2:], "cursor_invalid"},
		"with an offset":     {list, "offset=1&cursor=" + cursor, "parameter_invalid"},
		"begun at an offset": {list, "offset=0&cursor=", "parameter_invalid"},
		"twice":              {list, "cursor=&cursor=" + cursor, "parameter_invalid"},
		"too long":           {list, "cursor=" + fmt.Sprintf("%02100d", 1), "parameter_invalid"},
		"exported at offset": {list + "_export", "offset=1", "parameter_invalid"},

		"another caller":            {"/v1/patients", "limit=1&cursor=" + found, "cursor_foreign"},
		"no cursor of who is found": {"/v1/patients", "cursor=" + found[1:], "cursor_invalid"},
		"found at an offset":        {"/v1/patients", "offset=0&cursor=", "parameter_invalid"},
		"another member":            {"/v1/clinicians/" + colleague + "/clinics", "limit=1&cursor=" + memberships, "cursor_foreign"},
		"no cursor of a member":     {"/v1/clinicians/" + admin + "/clinics", "cursor=abc", "cursor_invalid"},
		"a member at an offset":     {"/v1/clinicians/" + admin + "/clinics", "offset=0&cursor=", "parameter_invalid"},
		"another patient":           {"/v1/patients/" + admin + "/clinics", "limit=1&cursor=" + records, "cursor_foreign"},
		"a patient who is gone":     {"/v1/patients/" + patient + "/clinics", "limit=1&cursor=" + records, "cursor_gone"},
		"no cursor of a patient":    {"/v1/patients/" + patient + "/clinics", "cursor=abc", "cursor_invalid"},
		"a patient at an offset":    {"/v1/patients/" + patient + "/clinics", "offset=0&cursor=", "parameter_invalid"},
	} {
		caller := testkit.Service
		if test.path == "/v1/patients" {
			caller = testkit.User(colleague)
		}
		answer := app.Call(t, caller, http.MethodGet, test.path+"?"+test.query, nil)
		require.Equal(t, http.StatusBadRequest, answer.Status, name)
		require.Equal(t, test.reason, answer.Object(t)["reason"], "%s: %s", name, answer.Body)
		require.NotContains(t, string(answer.Body), cursor)
	}
	rest, _ := pageBehind(t, app, testkit.User(admin), "/v1/patients", url.Values{}, found)
	require.Len(t, rest, 2, "the caller whose cursor it is")
}

// recordsWithoutTheFirst returns a patient of two clinics, and the cursor behind the first record, whose name is too long for a cursor, and
// which is gone.
func recordsWithoutTheFirst(t *testing.T, app *testkit.App) (patient, cursor string) {
	t.Helper()
	patient = testkit.NewUserID()
	var records []any
	for range 2 {
		clinicID, _ := app.NewClinic(t)
		id, err := bson.ObjectIDFromHex(clinicID)
		require.NoError(t, err)
		records = append(records, bson.M{"clinicId": id, "userId": patient, "fullName": strings.Repeat("é", 600), "updatedTime": time.Now()})
	}
	made, err := app.Store.Collection("patients").InsertMany(t.Context(), records)
	require.NoError(t, err)
	_, cursor = pageBehind(t, app, testkit.Service, "/v1/patients/"+patient+"/clinics", url.Values{"limit": {"1"}}, "")
	_, err = app.Store.Collection("patients").DeleteOne(t.Context(), bson.M{"_id": made.InsertedIDs[0]})
	require.NoError(t, err)
	return patient, cursor
}

// The order of members is the newest first, so that those who come meanwhile stand before all; their times are what an older writer
// may have left.
func TestMembersGoOnBehindACursor(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID := bson.NewObjectID()
	at := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []any
	for i, created := range []any{at, at, at, at.Add(time.Second), nil, nil, at.Add(time.Minute), "absent"} {
		record := bson.M{"clinicId": clinicID, "userId": fmt.Sprintf("%010x", i), "name": "Al", "roles": bson.A{"CLINIC_MEMBER"}, "email": fmt.Sprintf("al%d@example.com", i)}
		if created != "absent" {
			record["createdTime"] = created
		}
		records = append(records, record)
	}
	_, err := app.Store.Collection("clinicians").InsertMany(t.Context(), records)
	require.NoError(t, err)
	path := "/v1/clinics/" + clinicID.Hex() + "/clinicians"
	for _, query := range []url.Values{{}, {"search": {"al"}}, {"role": {"CLINIC_MEMBER"}}} {
		want := idsOf(app.Call(t, testkit.Service, http.MethodGet, path+"?limit=100&"+query.Encode(), nil).OK(t, http.StatusOK).List(t))
		require.GreaterOrEqual(t, len(want), 8)
		for _, limit := range []string{"1", "3", "100"} {
			query.Set("limit", limit)
			got, newcomers := []string{}, 0
			rows, next := pageBehind(t, app, testkit.Service, path, query, "")
			for got = append(got, idsOf(rows)...); next != ""; got = append(got, idsOf(rows)...) {
				newcomers++
				_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), bson.M{
					"clinicId": clinicID, "userId": testkit.NewUserID(), "name": "Al New", "email": testkit.NewUserID() + "@example.com", "roles": bson.A{"CLINIC_MEMBER"},
					"createdTime": at.Add(time.Hour + time.Duration(newcomers)*time.Second),
				})
				require.NoError(t, err)
				rows, next = pageBehind(t, app, testkit.Service, path, query, next)
			}
			require.Equal(t, want, got, "%v", query)
			_, err := app.Store.Collection("clinicians").DeleteMany(t.Context(), bson.M{"clinicId": clinicID, "name": "Al New"})
			require.NoError(t, err)
		}
	}
	answer := app.Call(t, testkit.Service, http.MethodGet, path+"?limit=1", nil).OK(t, http.StatusOK)
	require.NotContains(t, answer.Header, "X-Next-Cursor")
}
