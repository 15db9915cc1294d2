package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestConvertPatientTagToSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c := newSitedClinic(t, app)
	tagID, otherID := newGroup(t, app, "patient_tags", c.id, "north"), newGroup(t, app, "patient_tags", c.id, "Other")
	tag, other := oid(t, tagID), oid(t, otherID)
	north := siteOf(t, c.north, "North")
	c.addPatient(t, "tagged, no sites", bson.M{"tags": bson.A{tag, other}})
	c.addPatient(t, "tagged, null sites", bson.M{"tags": bson.A{tag}, "sites": nil})
	c.addPatient(t, "tagged twice, a site", bson.M{"tags": bson.A{tag, tag}, "sites": bson.A{north}})
	c.addPatient(t, "tagged otherwise", bson.M{"tags": bson.A{other}})
	c.recount(t)
	path := "/v1/clinics/" + c.id + "/patient_tags/" + tagID + "/site"
	app.Call(t, testkit.User(app.NewMember(t, c.id, "CLINIC_ADMIN")), http.MethodPost, path, nil).Fails(t, http.StatusForbidden, notAuthorized)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+c.id+"/patient_tags/0123456789abcdef01234567/site", nil).
		Fails(t, http.StatusNotFound, "unable to find patient tag: not found")
	app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/patient_tags/"+tagID+"/site", nil).Fails(t, http.StatusNotFound, "clinic not found")

	site := app.Call(t, testkit.Service, http.MethodPost, path, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{"id": site["id"], "name": "north (2)", "numPatients": 3.0, "patients": 3.0}, site)
	made := siteOf(t, site["id"].(string), "north (2)")
	stored, touched := c.sites(t)
	require.Equal(t, bson.A{made}, stored["tagged, no sites"])
	require.Equal(t, bson.A{made}, stored["tagged, null sites"])
	require.Equal(t, bson.A{north, made}, stored["tagged twice, a site"])
	require.Equal(t, []string{"tagged twice, a site", "tagged, no sites", "tagged, null sites"}, touched)
	require.Equal(t, bson.A{other}, storedPatient(t, app, c.id, c.patients["tagged, no sites"])["tags"])
	require.Equal(t, bson.A{}, storedPatient(t, app, c.id, c.patients["tagged twice, a site"])["tags"])
	require.Equal(t, map[string]float64{"North": 5, "South": 3, "north (2)": 3}, groups(t, app, c.id, "sites"))
	require.Equal(t, map[string]float64{"Other": 2}, groups(t, app, c.id, "patientTags"))
	require.Equal(t, tag, testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, c.id)})[0]["lastDeletedPatientTag"])
	app.Call(t, testkit.Service, http.MethodPost, path, nil).Fails(t, http.StatusNotFound, "unable to find patient tag: not found")
}

func TestARepeatOfAConversionMakesNoSecondSite(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c := newSitedClinic(t, app)
	tagID := newGroup(t, app, "patient_tags", c.id, "East")
	tag := bson.D{{Key: "_id", Value: oid(t, tagID)}, {Key: "name", Value: "East"}}
	for i := range 3 {
		c.addPatient(t, fmt.Sprint("tagged ", i), bson.M{"tags": bson.A{oid(t, tagID)}})
	}
	c.recount(t)
	path := "/v1/clinics/" + c.id + "/patient_tags/" + tagID + "/site"
	first := app.Call(t, testkit.Service, http.MethodPost, path, nil).OK(t, http.StatusOK).Object(t)

	// A crash when the site was made, and one of the patients had moved.
	setClinic(t, app, c.id, bson.M{"patientTags": bson.A{tag}})
	for i := range 2 {
		_, err := app.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": c.patients[fmt.Sprint("tagged ", i)]},
			bson.M{"$set": bson.M{"tags": bson.A{oid(t, tagID)}, "sites": bson.A{}}})
		require.NoError(t, err)
	}
	c.recount(t)
	again := app.Call(t, testkit.Service, http.MethodPost, path, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, first, again)
	require.Equal(t, map[string]float64{"North": 4, "South": 3, "East": 3}, groups(t, app, c.id, "sites"))
}

func TestATagIsNotConvertedWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, _ := app.NewClinic(t)
	tagID := newGroup(t, app, "patient_tags", clinicID, "East")
	var sites bson.A
	for i := range 50 {
		sites = append(sites, bson.M{"id": bson.NewObjectID(), "name": fmt.Sprint("S", i)})
	}
	setClinic(t, app, clinicID, bson.M{"sites": sites})
	before := testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)})
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/patient_tags/"+tagID+"/site", nil).Fails(t, http.StatusConflict, "conflict")
	require.Equal(t, before, testkit.Documents(t, app.Store, "clinics", bson.M{"_id": oid(t, clinicID)}))
}
