// Package story_test tells whole stories against the built service, as its users live them.
package story_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestClinicFromFirstAdminToLastPatient is the life of a clinic.
func TestClinicFromFirstAdminToLastPatient(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	ada := service.NewUser(t, "Ada Admin")
	clinic := service.Call(t, testkit.User(ada), http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Lakeside", "preferredBgUnits": "mg/dL", "country": "US",
	}).OK(t, http.StatusOK).Object(t)
	path := "/v1/clinics/" + clinic["id"].(string)
	found := service.Call(t, testkit.User(ada), http.MethodGet, "/v1/clinics/share_code/"+clinic["shareCode"].(string), nil).OK(t, http.StatusOK)
	require.Equal(t, clinic["id"], found.Object(t)["id"])

	t.Run("a clinic keeps an admin", func(t *testing.T) {
		lastAdmin := "constraint violation: the clinic must have at least one admin"
		own := path + "/clinicians/" + ada
		service.Call(t, testkit.User(ada), http.MethodDelete, own, nil).Fails(t, http.StatusUnprocessableEntity, lastAdmin)
		demotion := map[string]any{"email": "ada@example.com", "roles": []string{"CLINIC_MEMBER"}}
		service.Call(t, testkit.User(ada), http.MethodPut, own, demotion).Fails(t, http.StatusUnprocessableEntity, lastAdmin)

		bo := service.NewMember(t, clinic["id"].(string), "CLINIC_ADMIN")
		service.Call(t, testkit.User(ada), http.MethodPut, own, demotion).OK(t, http.StatusOK)
		service.Call(t, testkit.User(ada), http.MethodDelete, path+"/clinicians/"+bo, nil).OK(t, http.StatusForbidden)
		promotion := map[string]any{"email": "ada@example.com", "roles": []string{"CLINIC_ADMIN"}, "name": "Ada Admin"}
		service.Call(t, testkit.User(bo), http.MethodPut, own, promotion).OK(t, http.StatusOK)
		service.Call(t, testkit.User(ada), http.MethodDelete, path+"/clinicians/"+bo, nil).OK(t, http.StatusOK)
		service.Call(t, testkit.User(bo), http.MethodGet, path+"/clinicians", nil).OK(t, http.StatusForbidden)
	})

	t.Run("patients with and without an address", func(t *testing.T) {
		withEmail := service.Call(t, testkit.User(ada), http.MethodPost, path+"/patients", map[string]any{
			"fullName": "Åsa Lind", "birthDate": "1980-02-29", "email": "Asa@Example.com", "mrn": "L-1",
		}).OK(t, http.StatusOK).Object(t)
		require.Equal(t, "asa@example.com", withEmail["email"])
		account, ok := service.Standin.User(withEmail["id"].(string))
		require.True(t, ok)
		require.Equal(t, "asa@example.com", account.Username)

		without := service.NewPatient(t, clinic["id"].(string), "Bea Moss", nil)
		require.NotContains(t, without, "email")

		service.Call(t, testkit.User(ada), http.MethodPost, path+"/patients", map[string]any{
			"fullName": "Someone Else", "birthDate": "1980-02-29", "email": "asa@example.com",
		}).Fails(t, http.StatusConflict, "duplicate: email address is already taken")
		service.Call(t, testkit.Service, http.MethodPost, path+"/patients/"+without["id"].(string), map[string]any{}).OK(t, http.StatusConflict)
	})

	t.Run("search and pages", func(t *testing.T) {
		for i := range 7 {
			service.NewPatient(t, clinic["id"].(string), "Same Name", map[string]any{"mrn": fmt.Sprintf("S-%d", i)})
		}
		for _, search := range []string{"åsa", "LIND", "asa@ex", "l-1", "1980-02-29"} {
			page := list(t, &service.App, ada, path, "search="+url.QueryEscape(search))
			require.Equal(t, 1, page.Meta.Count, search)
			require.Equal(t, 9, page.Meta.TotalCount)
			require.Equal(t, "Åsa Lind", page.Data[0].FullName)
		}
		var inPages []string
		for offset := 0; offset < 9; offset += 2 {
			for _, patient := range list(t, &service.App, ada, path, fmt.Sprintf("limit=2&offset=%d", offset)).Data {
				inPages = append(inPages, patient.ID)
			}
		}
		var atOnce []string
		for _, patient := range list(t, &service.App, ada, path, "limit=1000").Data {
			atOnce = append(atOnce, patient.ID)
		}
		require.Equal(t, atOnce, inPages, "equal names must not make pages overlap")
	})

	t.Run("a patient leaves with a record", func(t *testing.T) {
		patient := service.NewPatient(t, clinic["id"].(string), "Leaving Soon", nil)
		own := path + "/patients/" + patient["id"].(string)
		service.Call(t, testkit.User(ada), http.MethodDelete, own, nil).OK(t, http.StatusNoContent)
		service.Call(t, testkit.User(ada), http.MethodGet, own, nil).Fails(t, http.StatusNotFound, "patient not found")
		service.Call(t, testkit.User(ada), http.MethodDelete, own, nil).Fails(t, http.StatusNotFound, "patient not found")
		records := testkit.Documents(t, service.Store, "patient_deletions", bson.D{{Key: "patient.userId", Value: patient["id"]}})
		require.Len(t, records, 1)
		require.Equal(t, ada, records[0]["deletedByUserId"])
	})
	require.Zero(t, service.Stop(t))
}

// TestDocumentsOfAnOlderWriter: fields that the reference service left out or stored as null are no surprise.
func TestDocumentsOfAnOlderWriter(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinicID, tag, now := bson.NewObjectID(), bson.NewObjectID(), time.Now().UTC()
	insert(t, &service.App, "clinics", bson.D{
		{Key: "_id", Value: clinicID}, {Key: "canonicalShareCode", Value: "ABCD-EFGH-JKLM"}, {Key: "shareCodes", Value: bson.A{"ABCD-EFGH-JKLM"}},
		{Key: "admins", Value: bson.A{"ad00000001"}}, {Key: "timezone", Value: nil}, {Key: "phoneNumbers", Value: nil},
		{Key: "patientTags", Value: bson.A{bson.D{{Key: "_id", Value: tag}, {Key: "name", Value: "Old"}, {Key: "patients", Value: 17}}}},
		{Key: "patientCount", Value: bson.D{{Key: "patientCount", Value: 3}}},
		{Key: "createdTime", Value: now}, {Key: "updatedTime", Value: now}, {Key: "unknownField", Value: "kept"},
	})
	insert(t, &service.App, "clinicians", bson.D{
		{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: "ad00000001"}, {Key: "roles", Value: bson.A{"CLINIC_ADMIN"}},
		{Key: "name", Value: nil}, {Key: "createdTime", Value: now}, {Key: "updatedTime", Value: now},
	})
	insert(t, &service.App, "patients", bson.D{
		{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: "0000000001"}, {Key: "birthDate", Value: ""}, {Key: "fullName", Value: nil},
		{Key: "tags", Value: nil}, {Key: "sites", Value: nil}, {Key: "dataSources", Value: nil},
	})
	insert(t, &service.App, "patients", bson.D{
		{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: "0000000002"}, {Key: "fullName", Value: "Old Patient"}, {Key: "birthDate", Value: "1950-01-01"},
		{Key: "tags", Value: bson.A{tag}}, {Key: "dataSources", Value: bson.A{bson.D{{Key: "providerName", Value: "dexcom"}}}},
		{Key: "unknownField", Value: "kept"}, {Key: "createdTime", Value: now}, {Key: "updatedTime", Value: now},
	})
	path := "/v1/clinics/" + clinicID.Hex()

	clinic := service.Call(t, testkit.User("ad00000001"), http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, []any{map[string]any{"id": tag.Hex(), "name": "Old", "numPatients": float64(1)}}, clinic["patientTags"])
	require.Equal(t, "", clinic["name"])
	count := service.Call(t, testkit.User("ad00000001"), http.MethodGet, path+"/patient_count", nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, map[string]any{"total": float64(2), "demo": float64(0), "plan": float64(2)}, count)
	page := list(t, &service.App, "ad00000001", path, "")
	require.Equal(t, 2, page.Meta.Count)

	update := map[string]any{"fullName": "Old Patient", "birthDate": "1950-01-01", "tags": []string{}}
	service.Call(t, testkit.User("ad00000001"), http.MethodPut, path+"/patients/0000000002", update).OK(t, http.StatusOK)
	service.Call(t, testkit.User("ad00000001"), http.MethodPut, path, map[string]any{"name": "Renamed", "preferredBgUnits": "mmol/L"}).OK(t, http.StatusOK)
	require.Equal(t, "kept", testkit.Documents(t, service.Store, "patients", bson.D{{Key: "userId", Value: "0000000002"}})[0]["unknownField"])
	require.Equal(t, "kept", testkit.Documents(t, service.Store, "clinics", bson.D{{Key: "_id", Value: clinicID}})[0]["unknownField"])
	clinic = service.Call(t, testkit.User("ad00000001"), http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t)
	require.NotContains(t, clinic["patientTags"].([]any)[0], "numPatients", "nobody has the tag any more")
}

type patientPage struct {
	Data []struct {
		ID       string `json:"id"`
		FullName string `json:"fullName"`
	} `json:"data"`
	Meta struct {
		Count      int `json:"count"`
		TotalCount int `json:"totalCount"`
	} `json:"meta"`
}

func list(t *testing.T, app *testkit.App, admin, path, query string) patientPage {
	t.Helper()
	var page patientPage
	app.Call(t, testkit.User(admin), http.MethodGet, path+"/patients?"+query, nil).OK(t, http.StatusOK).Into(t, &page)
	return page
}

func insert(t *testing.T, app *testkit.App, collection string, document bson.D) {
	t.Helper()
	_, err := app.Store.Collection(collection).InsertOne(t.Context(), document)
	require.NoError(t, err)
}
