package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestCreateClinicAnswersWhatGetClinicAnswers(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	admin := testkit.User(app.NewUser(t, "Ada Admin"))
	created := app.Call(t, admin, http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Harbour", "preferredBgUnits": "mmol/L", "country": "CA", "website": "",
		"phoneNumbers": []any{map[string]any{"number": "1"}, map[string]any{"number": "2", "type": "Office"}},
	}).OK(t, http.StatusOK).Object(t)
	for _, caller := range []testkit.Caller{admin, testkit.Service, testkit.User(testkit.NewUserID())} {
		read := app.Call(t, caller, http.MethodGet, "/v1/clinics/"+created["id"].(string), nil).OK(t, http.StatusOK).Object(t)
		require.Equal(t, created, read)
	}
	app.Call(t, admin, http.MethodGet, "/v1/clinics/0123456789abcdef01234567", nil).Fails(t, http.StatusNotFound, "clinic not found")
	require.Regexp(t, "^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}$", created["shareCode"])
	delete(created, "id")
	delete(created, "shareCode")
	require.Equal(t, created["createdTime"], created["updatedTime"])
	delete(created, "createdTime")
	delete(created, "updatedTime")
	require.Equal(t, map[string]any{
		"name": "Harbour", "preferredBgUnits": "mmol/L", "country": "CA", "website": "",
		"phoneNumbers": []any{map[string]any{"number": "1"}, map[string]any{"number": "2", "type": "Office"}},
		"canMigrate":   false, "tier": "tier0100", "tierDescription": "Free",
	}, created)
}

func TestCreateClinicRefusesAMissingBody(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodPost, "/v1/clinics", nil).
		Fails(t, http.StatusBadRequest, "request body has an error: value is required but missing")
}

const noClinic = "0123456789abcdef01234567"

func hexID(t *testing.T, clinicID string) bson.ObjectID {
	t.Helper()
	id, err := bson.ObjectIDFromHex(clinicID)
	require.NoError(t, err)
	return id
}

func storedClinic(t *testing.T, app *testkit.App, clinicID string) string {
	t.Helper()
	return testkit.Stored(t, app.Store, "clinics", bson.D{{Key: "_id", Value: hexID(t, clinicID)}})
}

func TestCreateClinicStoresWhatOtherServicesRead(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	userID := testkit.NewUserID()
	app.Standin.AddUser(standin.User{UserID: userID, Username: "x@example.com", Emails: []string{userID + ".Mixed@Example.com", "second@example.com"}})
	app.Standin.AddProfile(userID, map[string]any{"fullName": "Ada Admin"})
	clinic := app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics", map[string]any{
		"name": "", "preferredBgUnits": "mg/dL", "timezone": "US/Pacific",
		// All of these are ignored:
		"id": noClinic, "shareCode": "ABCD-EFGH-JKLM", "tier": "tier0400", "canMigrate": true, "createdTime": "2001-02-03T04:05:06Z",
		"patientTags": []any{map[string]any{"id": noClinic, "name": "Pump"}}, "sites": []any{map[string]any{"id": noClinic, "name": "North"}},
		"suppressedNotifications": map[string]any{"patientClinicInvitation": true}, "admins": []string{"0000000000"}, "isMigrated": false,
	}).OK(t, http.StatusOK).Object(t)
	id, code := clinic["id"].(string), clinic["shareCode"].(string)
	require.JSONEq(t, `[{"_id":"oid:`+id+`","name":"","PreferredBgUnits":"mg/dL","timezone":"US/Pacific","phoneNumbers":null,
		"canonicalShareCode":"`+code+`","shareCodes":["`+code+`"],"admins":["`+userID+`"],"isMigrated":true,
		"patientCountSettings":{"hardLimit":{"plan":250}},"patientCount":{"total":0,"demo":0,"plan":0},
		"createdTime":"date","updatedTime":"date"}]`, storedClinic(t, app, id))

	member := testkit.Documents(t, app.Store, "clinicians", bson.D{{Key: "clinicId", Value: hexID(t, id)}})
	require.Len(t, member, 1)
	memberID := member[0]["_id"].(bson.ObjectID).Hex()
	require.JSONEq(t, `[{"_id":"oid:`+memberID+`","clinicId":"oid:`+id+`","userId":"`+userID+`","email":"`+userID+`.mixed@example.com",
		"name":"Ada Admin","roles":["CLINIC_ADMIN"],"createdTime":"date","updatedTime":"date"}]`,
		testkit.Stored(t, app.Store, "clinicians", bson.D{{Key: "clinicId", Value: hexID(t, id)}}))
}

func TestCreateClinicForAUserOfWhomLittleIsKnown(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	userID := testkit.NewUserID()
	app.Standin.AddUser(standin.User{UserID: userID})
	app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusOK)
	member := testkit.Documents(t, app.Store, "clinicians", bson.D{})[0]
	require.Nil(t, member["name"])
	require.Contains(t, member, "name")
	require.NotContains(t, member, "email")

	second := app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusOK).Object(t)
	require.Len(t, testkit.Documents(t, app.Store, "clinics", bson.D{}), 2, "a second call makes a second clinic")

	app.Call(t, testkit.User(testkit.NewUserID()), http.MethodPost, "/v1/clinics", newClinic).Fails(t, http.StatusNotFound, "not found")
	app.Standin.Fail("GET /user/", standin.Fault{Status: http.StatusInternalServerError})
	app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusInternalServerError)
	app.Standin.Heal()
	app.Standin.Fail("GET /"+userID+"/profile", standin.Fault{Status: http.StatusForbidden})
	app.Call(t, testkit.User(userID), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusInternalServerError)
	require.Len(t, testkit.Documents(t, app.Store, "clinics", bson.D{}), 2, "nothing was written")
	require.NotEmpty(t, second["id"])
}

var newClinic = map[string]any{"name": "Harbour", "preferredBgUnits": "mg/dL"}

const demoUserID = "d0d0d0d0d0"

func startWithDemo(t *testing.T) *testkit.App {
	t.Helper()
	return testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Demo.PatientUserID = demoUserID }))
}

func TestNewClinicsGetTheDemoPatient(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	admin := app.NewUser(t, "Ada Admin")
	app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics", newClinic).Fails(t, http.StatusNotFound, "not found")
	require.Empty(t, testkit.Documents(t, app.Store, "clinics", bson.D{}), "without the demo account nothing is written")
	require.Empty(t, testkit.Documents(t, app.Store, "clinicians", bson.D{}))

	app.Standin.AddUser(standin.User{UserID: demoUserID, Username: "Demo@Example.com"})
	app.Standin.AddProfile(demoUserID, map[string]any{"fullName": "Account", "patient": map[string]any{
		"fullName": "Jill Jellyfish", "birthday": "1984-08-24", "mrn": "", "targetDevices": []string{"dexcom"},
	}})
	id := app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusOK).Object(t)["id"].(string)
	patientID := testkit.Documents(t, app.Store, "patients", bson.D{})[0]["_id"].(bson.ObjectID).Hex()
	require.JSONEq(t, `[{"_id":"oid:`+patientID+`","clinicId":"oid:`+id+`","userId":"`+demoUserID+`","birthDate":"1984-08-24",
		"email":"Demo@Example.com","fullName":"Jill Jellyfish","mrn":null,"targetDevices":["dexcom"],"requireUniqueMrn":false,
		"permissions":{"view":{}},"isMigrated":true,"createdTime":"date","updatedTime":"date"}]`, testkit.Stored(t, app.Store, "patients", bson.D{}))
	count := app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+"/patient_count", nil).OK(t, http.StatusOK)
	require.JSONEq(t, `{"total":1,"demo":1,"plan":0}`, string(count.Body))
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+id+"/patient_count/refresh", nil).OK(t, http.StatusOK)
	count = app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+id+"/patient_count", nil).OK(t, http.StatusOK)
	require.JSONEq(t, `{"total":1,"demo":1,"plan":0}`, string(count.Body), "a recount agrees")
}

func TestListClinics(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	var ids, codes []string
	for range 12 {
		clinic := app.Call(t, testkit.User(app.NewUser(t, "Ada")), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusOK).Object(t)
		ids, codes = append(ids, clinic["id"].(string)), append(codes, clinic["shareCode"].(string))
	}
	for i, created := range []string{"2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"} {
		at, err := time.Parse(time.RFC3339, created)
		require.NoError(t, err)
		_, err = app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, ids[i]), bson.D{{Key: "$set", Value: bson.D{
			{Key: "createdTime", Value: at}, {Key: "ehrSettings.enabled", Value: i == 0}, {Key: "shareCodes", Value: bson.A{codes[i], "OLD" + created}},
		}}})
		require.NoError(t, err)
	}
	for query, want := range map[string][]string{
		"":                                   ids[:10],
		"?limit=1000":                        ids,
		"?limit=2&offset=10":                 ids[10:],
		"?offset=12":                         {},
		"?shareCode=" + codes[4]:             ids[4:5],
		"?shareCode=OLD2020-01-01T00:00:00Z": ids[:1],
		"?shareCode=" + strings.ToLower(codes[4]):                                            {},
		"?createdTimeStart=2020-01-02T00:00:00Z&createdTimeEnd=2020-01-03T00:00:00Z":         ids[1:2],
		"?createdTimeStart=2020-01-02T01:00:00%2B01:00&createdTimeEnd=2020-01-04T00:00:00Z":  ids[1:3],
		"?createdTimeStart=0001-01-01T00:00:00Z&createdTimeEnd=0001-01-01T00:00:00Z&limit=1": ids[:1],
		"?ehrEnabled=true":                       ids[:1],
		"?ehrEnabled=false":                      ids[1:3],
		"?ehrEnabled=true&shareCode=" + codes[1]: {},
	} {
		got := []string{}
		for _, clinic := range app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics"+query, nil).OK(t, http.StatusOK).List(t) {
			got = append(got, clinic["id"].(string))
		}
		require.Equal(t, want, got, query)
	}
	for _, query := range []string{"?limit=0", "?offset=-1", "?createdTimeStart=2020-01-01T00:00:00", "?ehrEnabled=yes", "?shareCode="} {
		app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics"+query, nil).OK(t, http.StatusBadRequest)
	}
}

func TestGetClinicByShareCode(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinic := app.Call(t, testkit.User(app.NewUser(t, "Ada")), http.MethodPost, "/v1/clinics", newClinic).OK(t, http.StatusOK).Object(t)
	inherited := testkit.NewUserID()
	_, err := app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, clinic["id"].(string)),
		bson.D{{Key: "$push", Value: bson.D{{Key: "shareCodes", Value: inherited}}}})
	require.NoError(t, err)
	for _, code := range []string{clinic["shareCode"].(string), inherited} {
		require.Equal(t, clinic, app.Call(t, testkit.User(testkit.NewUserID()), http.MethodGet, "/v1/clinics/share_code/"+code, nil).OK(t, http.StatusOK).Object(t))
	}
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/share_code/2222-2222-2222", nil).Fails(t, http.StatusNotFound, "not found")
}

func TestUpdateClinicKeepsWhatWasNotSentButClearsTwoFields(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	admin := app.NewUser(t, "Ada")
	full := map[string]any{
		"name": "Harbour", "preferredBgUnits": "mg/dL", "address": "1 Pier", "city": "Portland", "state": "ME", "postalCode": "04101", "country": "US",
		"clinicType": "other", "clinicSize": "0-249", "timezone": "US/Pacific", "website": "w", "phoneNumbers": []any{map[string]any{"number": "1"}},
	}
	id := app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics", full).OK(t, http.StatusOK).Object(t)["id"].(string)
	path := "/v1/clinics/" + id
	short := map[string]any{"name": "Bay", "preferredBgUnits": "mmol/L", "website": "", "tier": "tier0400", "sites": []any{}, "patientTags": []any{}}
	for range 2 { // a second identical call changes nothing more
		updated := app.Call(t, testkit.User(admin), http.MethodPut, path, short).OK(t, http.StatusOK).Object(t)
		require.NotContains(t, updated, "timezone")
		require.NotContains(t, updated, "phoneNumbers")
		require.Equal(t, updated, app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t))
		code := updated["shareCode"].(string)
		require.JSONEq(t, `[{"_id":"oid:`+id+`","name":"Bay","PreferredBgUnits":"mmol/L","timezone":null,"phoneNumbers":null,"website":"",
			"address":"1 Pier","city":"Portland","state":"ME","postalCode":"04101","country":"US","clinicType":"other","clinicSize":"0-249",
			"canonicalShareCode":"`+code+`","shareCodes":["`+code+`"],"admins":["`+admin+`"],"isMigrated":true,
			"patientCountSettings":{"hardLimit":{"plan":250}},"patientCount":{"total":0,"demo":0,"plan":0},
			"createdTime":"date","updatedTime":"date"}]`, storedClinic(t, app, id))
	}
	restored := app.Call(t, testkit.Service, http.MethodPut, path, full).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "US/Pacific", restored["timezone"])
	require.Len(t, restored["phoneNumbers"], 1)

	app.Call(t, testkit.User(admin), http.MethodPut, path, nil).OK(t, http.StatusBadRequest)
	app.Call(t, testkit.User(admin), http.MethodPut, path, map[string]any{"name": "x", "preferredBgUnits": "mg/dL", "city": nil}).OK(t, http.StatusBadRequest)
	app.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+noClinic, short).Fails(t, http.StatusNotFound, "clinic not found")
	require.Equal(t, "Harbour", app.Call(t, testkit.Service, http.MethodGet, path, nil).Object(t)["name"])
}

func TestTagAndSiteCountsOfAClinicOfAnOlderWriter(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	tag, gone, site, id := bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID()
	_, err := app.Store.Collection("clinics").InsertOne(t.Context(), bson.D{
		{Key: "_id", Value: id}, {Key: "canonicalShareCode", Value: "A"}, {Key: "shareCodes", Value: bson.A{"A"}},
		{Key: "patientTags", Value: bson.A{bson.D{{Key: "_id", Value: tag}, {Key: "name", Value: "Pump"}}, bson.D{{Key: "_id", Value: gone}, {Key: "name", Value: "Left over"}, {Key: "patients", Value: 9}}}},
		{Key: "sites", Value: bson.A{bson.D{{Key: "id", Value: site}, {Key: "name", Value: "North"}}}},
		{Key: "phoneNumbers", Value: bson.A{}}, {Key: "suppressedNotifications", Value: bson.D{}},
	})
	require.NoError(t, err)
	for _, userID := range []string{"a", "b"} {
		_, err = app.Store.Collection("patients").InsertOne(t.Context(), bson.D{
			{Key: "clinicId", Value: id}, {Key: "userId", Value: userID}, {Key: "tags", Value: bson.A{tag}},
			{Key: "sites", Value: bson.A{bson.D{{Key: "id", Value: site}}}},
		})
		require.NoError(t, err)
	}
	for range 2 {
		clinic := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+id.Hex(), nil).OK(t, http.StatusOK).Object(t)
		delete(clinic, "updatedTime")
		require.Equal(t, map[string]any{
			"id": id.Hex(), "name": "", "shareCode": "A", "preferredBgUnits": "mg/dL", "canMigrate": false, "tier": "tier0100", "tierDescription": "Free",
			"createdTime": "0001-01-01T00:00:00Z", "phoneNumbers": nil, "suppressedNotifications": map[string]any{},
			"patientTags": []any{map[string]any{"id": tag.Hex(), "name": "Pump", "numPatients": 2.0}, map[string]any{"id": gone.Hex(), "name": "Left over"}},
			"sites":       []any{map[string]any{"id": site.Hex(), "name": "North", "numPatients": 2.0}},
		}, clinic)
	}
	_, err = app.Store.Collection("clinics").UpdateByID(t.Context(), id, bson.D{{Key: "$set", Value: bson.D{{Key: "patientTags", Value: bson.A{}}, {Key: "sites", Value: bson.A{}}}}})
	require.NoError(t, err)
	clinic := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+id.Hex(), nil).OK(t, http.StatusOK).Object(t)
	require.Contains(t, clinic, "patientTags")
	require.Nil(t, clinic["patientTags"])
	require.NotContains(t, clinic, "sites")
}
