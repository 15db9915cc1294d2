package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// taggedClinic is a clinic with patients whose tags are stored in every way that older writers left behind.
type taggedClinic struct {
	app      *testkit.App
	id       string
	tag      bson.ObjectID
	other    bson.ObjectID
	patients map[string]string // user ids by what is stored
}

func newTaggedClinic(t *testing.T, app *testkit.App) taggedClinic {
	t.Helper()
	clinicID, _ := app.NewClinic(t)
	c := taggedClinic{
		app: app, id: clinicID, patients: map[string]string{},
		tag: oid(t, newGroup(t, app, "patient_tags", clinicID, "Pump")), other: oid(t, newGroup(t, app, "patient_tags", clinicID, "Sensor")),
	}
	for name, tags := range map[string]any{
		"absent": "absent", "null": nil, "empty": bson.A{}, "other": bson.A{c.other}, "tagged": bson.A{c.tag, c.other}, "twice": bson.A{c.tag, c.other, c.tag},
	} {
		id := testkit.NewUserID()
		document := bson.M{"clinicId": oid(t, clinicID), "userId": id, "fullName": name, "updatedTime": bson.DateTime(1)}
		if tags != "absent" {
			document["tags"] = tags
		}
		_, err := app.Store.Collection("patients").InsertOne(t.Context(), document)
		require.NoError(t, err)
		c.patients[name] = id
	}
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+clinicID+"/patient_count/refresh", nil).OK(t, http.StatusOK)
	require.Equal(t, map[string]float64{"Pump": 3, "Sensor": 3}, groups(t, app, clinicID, "patientTags"))
	return c
}

func (c taggedClinic) call(t *testing.T, what string, body any) {
	t.Helper()
	path := "/v1/clinics/" + c.id + "/patients/" + what + "/" + c.tag.Hex()
	require.Empty(t, c.app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusOK).Body)
}

// tags is storedField for the tags of the patients.
func (c taggedClinic) tags(t *testing.T) (stored map[string]any, touched []string) {
	t.Helper()
	return storedField(t, c.app, c.id, c.patients, "tags")
}

// storedField returns what is stored of the patients in a field, and the names of those that were touched since they were
// inserted, in order. The patients are user ids by name.
func storedField(t *testing.T, app *testkit.App, clinicID string, patients map[string]string, field string) (stored map[string]any, touched []string) {
	t.Helper()
	stored = map[string]any{}
	for name, id := range patients {
		patient := storedPatient(t, app, clinicID, id)
		value, ok := patient[field]
		if !ok {
			value = "absent"
		}
		stored[name] = value
		if patient["updatedTime"] != bson.DateTime(1) {
			touched = append(touched, name)
			require.WithinDuration(t, time.Now(), patient["updatedTime"].(bson.DateTime).Time(), time.Minute)
		}
	}
	slices.Sort(touched)
	return stored, touched
}

func TestATagIsPutOnPatients(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for name, body := range map[string]func(c taggedClinic) any{
		"everyone by no body": func(taggedClinic) any { return nil },
		"everyone by null":    func(taggedClinic) any { return "null" },
		"all by name": func(c taggedClinic) any {
			return append(slices.Collect(maps.Values(c.patients)), testkit.NewUserID()) // and a stranger
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, bystanders := newTaggedClinic(t, app), newTaggedClinic(t, app)
			for range 2 {
				c.call(t, "assign_tag", body(c))
				stored, touched := c.tags(t)
				require.Equal(t, map[string]any{
					"absent": bson.A{c.tag}, "null": bson.A{c.tag}, "empty": bson.A{c.tag}, "other": bson.A{c.other, c.tag},
					"tagged": bson.A{c.tag, c.other}, "twice": bson.A{c.tag, c.other, c.tag},
				}, stored)
				require.ElementsMatch(t, []string{"absent", "null", "empty", "other"}, touched)
				require.Equal(t, map[string]float64{"Pump": 7, "Sensor": 3}, groups(t, app, c.id, "patientTags"))
			}
			_, touched := bystanders.tags(t)
			require.Empty(t, touched)
			require.Equal(t, map[string]float64{"Pump": 3, "Sensor": 3}, groups(t, app, bystanders.id, "patientTags"))
		})
	}
}

func TestATagIsTakenOffPatients(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for name, body := range map[string]func(c taggedClinic) any{
		"everyone by no body": func(taggedClinic) any { return nil },
		"everyone by null":    func(taggedClinic) any { return "null" },
		"some by name": func(c taggedClinic) any {
			return []string{c.patients["tagged"], c.patients["twice"], c.patients["null"], testkit.NewUserID()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTaggedClinic(t, app)
			for range 2 {
				c.call(t, "delete_tag", body(c))
				stored, touched := c.tags(t)
				require.Equal(t, map[string]any{
					"absent": "absent", "null": nil, "empty": bson.A{}, "other": bson.A{c.other}, "tagged": bson.A{c.other}, "twice": bson.A{c.other},
				}, stored)
				require.ElementsMatch(t, []string{"tagged", "twice"}, touched)
				require.Equal(t, map[string]float64{"Pump": 0, "Sensor": 3}, groups(t, app, c.id, "patientTags"))
			}
		})
	}
}

func TestTagsAreAssignedToSomePatientsOnly(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c := newTaggedClinic(t, app)
	c.call(t, "assign_tag", []string{c.patients["null"]})
	stored, touched := c.tags(t)
	require.Equal(t, bson.A{c.tag}, stored["null"])
	require.Equal(t, []string{"null"}, touched)
	require.Equal(t, map[string]float64{"Pump": 4, "Sensor": 3}, groups(t, app, c.id, "patientTags"))
	c.call(t, "delete_tag", []string{c.patients["twice"]})
	require.Equal(t, map[string]float64{"Pump": 2, "Sensor": 3}, groups(t, app, c.id, "patientTags"))
}

func TestTaggingRefuses(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	c := newTaggedClinic(t, app)
	member := app.NewMember(t, c.id, "CLINIC_MEMBER")
	tooMany := []string{}
	for i := range 1001 {
		tooMany = append(tooMany, fmt.Sprintf("%010x", i))
	}
	id := c.patients["tagged"]
	for _, what := range []string{"assign_tag", "delete_tag"} {
		path := "/v1/clinics/" + c.id + "/patients/" + what + "/" + c.tag.Hex()
		for _, wrong := range []any{[]string{}, []string{id, id}, []string{"x"}, []any{nil}, map[string]any{}, tooMany, "["} {
			app.Call(t, testkit.Service, http.MethodPost, path, wrong).OK(t, http.StatusBadRequest)
		}
		for _, caller := range []string{member, testkit.NewUserID()} {
			app.Call(t, testkit.User(caller), http.MethodPost, path, []string{id}).Fails(t, http.StatusForbidden, notAuthorized)
		}
		app.Call(t, testkit.Service, http.MethodPost, unknownClinic+"/patients/"+what+"/"+c.tag.Hex(), []string{id}).OK(t, http.StatusOK)
		app.Call(t, testkit.Service, http.MethodPost, path, tooMany[:1000]).OK(t, http.StatusOK)
	}
	_, touched := c.tags(t)
	require.Empty(t, touched)
}
