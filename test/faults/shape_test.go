package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// A worker watches the collections and reacts to which fields an update names, and how. These tests look at the writes as
// they are sent.

// insertOnly are the collections in which a document must never change: the worker does its work again for every change.
var insertOnly = []string{
	"merge_plans", "redox", "scheduledSummaryAndReportsOrders", "patient_deletions", "clinician_deletions", "clinic_deletions",
}

// watched are the collections whose documents are changed field by field.
var watched = []string{"clinics", "clinicians", "patients", "migrations"}

// requireShapes asserts what is true of every write to a collection that is watched.
func requireShapes(t *testing.T, writes []wire.Command) {
	t.Helper()
	deleted := map[string]bool{}
	for _, write := range writes {
		require.NotEqual(t, "aggregate", write.Name, "an aggregation that writes replaces documents")
		if slices.Contains(watched, write.Collection) && write.Name == "insert" {
			require.False(t, deleted[write.Collection], "%s: deleted and inserted again", write)
		}
		deleted[write.Collection] = deleted[write.Collection] || write.Name == "delete"
		for _, statement := range write.Statements() {
			if update, ok := updateOf(write, statement); ok && slices.Contains(watched, write.Collection) {
				requirePartial(t, write, update)
			}
			if slices.Contains(insertOnly, write.Collection) {
				requireInsert(t, write, statement)
			}
		}
	}
}

// updateOf returns what a statement changes, and false if it is no update.
func updateOf(write wire.Command, statement bson.Raw) (bson.RawValue, bool) {
	switch write.Name {
	case "update":
		return statement.Lookup("u"), true
	case "findAndModify":
		update, err := statement.LookupErr("update")
		return update, err == nil
	default:
		return bson.RawValue{}, false
	}
}

// requirePartial asserts that an update names the fields it changes, each with an operator.
func requirePartial(t *testing.T, write wire.Command, update bson.RawValue) {
	t.Helper()
	require.Equal(t, bson.TypeEmbeddedDocument, update.Type, "%s: an update with a pipeline does not say what it changes", write)
	for _, part := range operators(t, update) {
		require.True(t, strings.HasPrefix(part, "$"), "%s replaces the document", write)
		require.NotEqual(t, "$set summary", part, "the summaries of the two types arrive apart")
		require.NotEqual(t, "$set providerConnectionRequests", part, "mails would go out again")
	}
}

// requireInsert asserts that a statement makes a document and changes none.
func requireInsert(t *testing.T, write wire.Command, statement bson.Raw) {
	t.Helper()
	if write.Name == "insert" {
		return
	}
	require.Equal(t, "update", write.Name, "%s: documents are never removed", write)
	upsert, _ := statement.Lookup("upsert").BooleanOK()
	require.True(t, upsert, "%s changes a document", write)
	for _, part := range operators(t, statement.Lookup("u")) {
		require.True(t, strings.HasPrefix(part, "$setOnInsert "), "%s changes a document: %s", write, part)
	}
}

// operators returns what an update does, as a list of operators with the fields they are for. Places in a list are told
// for $push.
func operators(t *testing.T, update bson.RawValue) []string {
	t.Helper()
	var found []string
	elements, err := update.Document().Elements()
	require.NoError(t, err)
	for _, operator := range elements {
		fields, ok := operator.Value().DocumentOK()
		if !ok {
			found = append(found, operator.Key())
			continue
		}
		changed, err := fields.Elements()
		require.NoError(t, err)
		for _, field := range changed {
			part := operator.Key() + " " + field.Key()
			if place, ok := field.Value().DocumentOK(); ok && operator.Key() == "$push" {
				if at, ok := place.Lookup("$position").AsInt64OK(); ok {
					part += fmt.Sprintf(" at %d", at)
				}
			}
			found = append(found, part)
		}
	}
	slices.Sort(found)
	return found
}

// TestShapesOfUpdates holds, for each update that somebody waits for, exactly what it names.
func TestShapesOfUpdates(t *testing.T) {
	t.Parallel()
	north := func(s *scene) { full(s); s.join("north", other, "CLINIC_ADMIN") }
	tests := []struct {
		name       string
		call       func(s *scene) testkit.Response
		collection string
		wanted     []string
	}{
		{"clinics: a tag is deleted", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/patient_tags/{red}", nil)
		}, "clinics", []string{"$pull patientTags", "$set lastDeletedPatientTag", "$set updatedTime"}},
		{"clinicians: roles change", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/clinicians/"+other, map[string]any{"email": "", "name": "Olga", "roles": []string{"CLINIC_MEMBER"}})
		}, "clinicians", []string{"$push rolesUpdates", "$set name", "$set roles", "$set updatedTime"}},
		{"clinicians: only the name changes", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/clinicians/"+other, map[string]any{"email": "", "name": "Olga", "roles": []string{"CLINIC_ADMIN"}})
		}, "clinicians", []string{"$set name", "$set updatedTime"}},
		{"clinicians: address changes", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/users/"+other+"/clinics", map[string]any{"email": "o@new.example.com"})
		}, "clinicians", []string{"$set email", "$set updatedTime"}},
		{"patients: address changes", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/users/"+guest+"/clinics", map[string]any{"email": "g@new.example.com"})
		}, "patients", []string{"$set email", "$set updatedTime"}},
		{"patients: address goes", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/users/"+guest+"/clinics", map[string]any{})
		}, "patients", []string{"$set updatedTime", "$unset email"}},
		{"patients: changed by a clinic", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/patients/{dora}", map[string]any{"fullName": "Dora", "birthDate": "1990-05-06"})
		}, "patients", []string{
			"$set birthDate", "$set email", "$set fullName", "$set mrn", "$set requireUniqueMrn", "$set targetDevices", "$set updatedTime",
		}},
		{"patients: reminded", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/{anna}/upload_reminder", nil)
		}, "patients", []string{"$set lastUploadReminderTime", "$set updatedTime"}},
		{"patients: asked to connect", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/{anna}/connect/dexcom", nil)
		}, "patients", []string{
			"$push providerConnectionRequests.dexcom at 0", "$set dataSources.0.expirationTime", "$set dataSources.0.state", "$set updatedTime",
		}},
		{"patients: summary of one type", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/patients/"+guest+"/summary", map[string]any{"cgmStats": stats("1")})
		}, "patients", []string{"$set summary.cgmStats", "$set updatedTime"}},
		{"patients: no summary", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/patients/"+guest+"/summary", nil)
		}, "patients", []string{"$set updatedTime", "$unset summary"}},
		{"patients: data sources", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "PUT /v1/patients/"+guest+"/data_sources", sources)
		}, "patients", []string{"$set dataSources", "$set updatedTime"}},
		{"patients: permissions", func(s *scene) testkit.Response {
			return s.send(testkit.User(guest), "PUT /v1/clinics/{north}/patients/"+guest+"/permissions", map[string]any{"upload": map[string]any{}})
		}, "patients", []string{"$set permissions", "$set updatedTime"}},
		{"patients: one permission less", func(s *scene) testkit.Response {
			return s.send(testkit.User(guest), "DELETE /v1/clinics/{north}/patients/"+guest+"/permissions/note", nil)
		}, "patients", []string{"$set updatedTime", "$unset permissions.note"}},
		{"patients: known in a legacy clinic", func(s *scene) testkit.Response {
			return s.send(testkit.Service, "POST /v1/clinics/{north}/patients/"+guest, map[string]any{"legacyClinicianId": legacy})
		}, "patients", []string{"$addToSet legacyClinicianIds", "$set updatedTime"}},
		{"patients: reviewed", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/patients/{anna}/reviews", nil)
		}, "patients", []string{"$push reviews at 0"}},
		{"patients: renamed site", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "PUT /v1/clinics/{north}/sites/{harbour}", map[string]any{"id": s.ids["harbour"], "name": "Port"})
		}, "patients", []string{"$set sites.$[site].name", "$set updatedTime"}},
		{"patients: deleted site", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "DELETE /v1/clinics/{north}/sites/{harbour}", nil)
		}, "patients", []string{"$pull sites", "$set updatedTime"}},
		{"patients: deleted tag", func(s *scene) testkit.Response {
			return s.send(testkit.User(admin), "POST /v1/clinics/{north}/patients/delete_tag/{red}", nil)
		}, "patients", []string{"$pull tags", "$set updatedTime"}},
	}
	s := newScene(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.play(t, func() {
				s.clear()
				north(s)
				s.proxy.Forget()
				answer := test.call(s)
				require.Less(t, answer.Status, http.StatusMultipleChoices, string(answer.Body))
				var found [][]string
				for _, write := range s.proxy.Writes() {
					for _, statement := range write.Statements() {
						if update, ok := updateOf(write, statement); ok && write.Collection == test.collection && !keepsCensus(write) {
							found = append(found, operators(t, update))
						}
					}
				}
				require.Equal(t, [][]string{test.wanted}, slices.CompactFunc(found, slices.Equal))
			})
		})
	}
}
