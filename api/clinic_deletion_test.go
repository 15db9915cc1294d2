package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// clinicToDelete makes a clinic with a demo patient and a pending invite, and returns its id and its admin.
func clinicToDelete(t *testing.T, app *testkit.App) (string, string) {
	t.Helper()
	app.Standin.AddUser(standin.User{UserID: demoUserID})
	id, admin := app.NewClinic(t)
	_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), bson.D{
		{Key: "clinicId", Value: hexID(t, id)}, {Key: "inviteId", Value: "invite"}, {Key: "email", Value: "i@example.com"},
		{Key: "name", Value: nil}, {Key: "roles", Value: bson.A{"CLINIC_MEMBER"}},
	})
	require.NoError(t, err)
	_, err = app.Store.Collection("clinics").UpdateByID(t.Context(), hexID(t, id), bson.D{{Key: "$set", Value: bson.D{
		{Key: "lastDeletedPatientTag", Value: bson.NewObjectID()}, {Key: "older", Value: bson.D{{Key: "kept", Value: nil}}},
	}}})
	require.NoError(t, err)
	return id, admin
}

func numbers(t *testing.T, app *testkit.App) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, name := range []string{"clinics", "clinicians", "patients", "clinic_deletions", "clinician_deletions", "patient_deletions"} {
		n[name] = len(testkit.Documents(t, app.Store, name, bson.D{}))
	}
	return n
}

var (
	untouched = map[string]int{"clinics": 1, "clinicians": 2, "patients": 1, "clinic_deletions": 0, "clinician_deletions": 0, "patient_deletions": 0}
	deleted   = map[string]int{"clinics": 0, "clinicians": 0, "patients": 0, "clinic_deletions": 1, "clinician_deletions": 2, "patient_deletions": 1}
)

func TestDeleteClinicRecordsAllThatGoesWithIt(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	id, admin := clinicToDelete(t, app)
	code := testkit.Documents(t, app.Store, "clinics", bson.D{})[0]["canonicalShareCode"].(string)
	before := testkit.Stored(t, app.Store, "patients", bson.D{})

	app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)

	require.Equal(t, deleted, numbers(t, app))
	for _, collection := range []string{"clinic_deletions", "clinician_deletions", "patient_deletions"} {
		for _, record := range testkit.Documents(t, app.Store, collection, bson.D{}) {
			require.Equal(t, admin, record["deletedByUserId"])
			require.IsType(t, bson.DateTime(0), record["deletedTime"])
		}
	}
	recordID := testkit.Documents(t, app.Store, "clinic_deletions", bson.D{})[0]["_id"].(bson.ObjectID).Hex()
	require.JSONEq(t, `[{"_id":"oid:`+recordID+`","deletedTime":"date","deletedByUserId":"`+admin+`","clinic":{
		"_id":"oid:`+id+`","name":"Test Clinic","PreferredBgUnits":"mg/dL","canonicalShareCode":"`+code+`","shareCodes":["`+code+`"],
		"admins":["`+admin+`"],"isMigrated":true,"patientCountSettings":{"hardLimit":{"plan":250}},
		"patientCount":{"total":1,"demo":1,"plan":0},"older":{"kept":null},"createdTime":"date","updatedTime":"date"}}]`,
		testkit.Stored(t, app.Store, "clinic_deletions", bson.D{}))
	recordID = testkit.Documents(t, app.Store, "patient_deletions", bson.D{})[0]["_id"].(bson.ObjectID).Hex()
	require.JSONEq(t, `[{"_id":"oid:`+recordID+`","deletedTime":"date","deletedByUserId":"`+admin+`","patient":`+before[1:len(before)-1]+`}]`,
		testkit.Stored(t, app.Store, "patient_deletions", bson.D{}))

	app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusForbidden)
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+id, nil).Fails(t, http.StatusNotFound, "clinic not found")
	require.Equal(t, deleted, numbers(t, app))
}

func TestDeleteClinicByABackendServiceNamesNobody(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	id, _ := clinicToDelete(t, app)
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)
	require.Equal(t, deleted, numbers(t, app))
	for _, collection := range []string{"clinic_deletions", "clinician_deletions", "patient_deletions"} {
		require.NotContains(t, testkit.Documents(t, app.Store, collection, bson.D{})[0], "deletedByUserId")
	}
}

func TestDeleteClinicWithPatientsIsRefused(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	id, admin := clinicToDelete(t, app)
	_, err := app.Store.Collection("patients").InsertOne(t.Context(), bson.D{{Key: "clinicId", Value: hexID(t, id)}, {Key: "userId", Value: "p"}})
	require.NoError(t, err)
	before := numbers(t, app)
	app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).
		Fails(t, http.StatusBadRequest, "bad request: deletion of non-empty clinics is not allowed")
	require.Equal(t, before, numbers(t, app))
}

// refuseRecords makes a collection of deletion records refuse further ones.
func refuseRecords(t *testing.T, app *testkit.App, collection string) (heal func()) {
	t.Helper()
	records := app.Store.Collection(collection)
	_, err := records.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "first"}})
	require.NoError(t, err)
	_, err = records.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "refused", Value: 1}}, Options: options.Index().SetUnique(true).SetName("Refuse")})
	require.NoError(t, err)
	return func() {
		require.NoError(t, records.Indexes().DropOne(t.Context(), "Refuse"))
		_, err := records.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: "first"}})
		require.NoError(t, err)
	}
}

func TestDeleteClinicDeletesNothingWithoutItsRecords(t *testing.T) {
	t.Parallel()
	for _, collection := range []string{"patient_deletions", "clinician_deletions", "clinic_deletions"} {
		t.Run(collection, func(t *testing.T) {
			t.Parallel()
			app := startWithDemo(t)
			id, admin := clinicToDelete(t, app)
			heal := refuseRecords(t, app, collection)
			app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusInternalServerError)
			for _, name := range []string{"clinics", "clinicians", "patients"} {
				require.Len(t, testkit.Documents(t, app.Store, name, bson.D{}), untouched[name], name)
			}
			heal()
			app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)
			require.Equal(t, deleted, numbers(t, app), "the repeat writes no second records")
		})
	}
}

func TestAnAdminCanRepeatADeletionThatWasCutOff(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	id, admin := clinicToDelete(t, app)
	members := testkit.Documents(t, app.Store, "clinicians", bson.D{})
	app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)
	for _, member := range members { // as if the process had died before it removed the members
		_, err := app.Store.Collection("clinicians").InsertOne(t.Context(), member)
		require.NoError(t, err)
	}
	app.Call(t, testkit.User(admin), http.MethodDelete, "/v1/clinics/"+id, nil).OK(t, http.StatusNoContent)
	require.Equal(t, deleted, numbers(t, app))
}

func TestDeleteOfAnUnknownClinicTouchesNothing(t *testing.T) {
	t.Parallel()
	app := startWithDemo(t)
	clinicToDelete(t, app)
	_, err := app.Store.Collection("clinicians").UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "clinicId", Value: hexID(t, noClinic)}}}})
	require.NoError(t, err)
	app.Call(t, testkit.Service, http.MethodDelete, "/v1/clinics/"+noClinic, nil).Fails(t, http.StatusNotFound, "clinic not found")
	require.Equal(t, untouched, numbers(t, app))
}
