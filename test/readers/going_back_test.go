package readers_test

import (
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// readers are the types of the reference service by collection.
var readers = map[string]reflect.Type{
	"clinics":                          reflect.TypeFor[refClinic](),
	"clinicians":                       reflect.TypeFor[refClinician](),
	"patients":                         reflect.TypeFor[refPatient](),
	"migrations":                       reflect.TypeFor[refMigration](),
	"patient_deletions":                reflect.TypeFor[refDeletion](),
	"clinician_deletions":              reflect.TypeFor[refDeletion](),
	"clinic_deletions":                 reflect.TypeFor[refDeletion](),
	"redox":                            reflect.TypeFor[refMessage](),
	"scheduledSummaryAndReportsOrders": reflect.TypeFor[refScheduled](),
	"merge_plans":                      reflect.TypeFor[refPlan](),
}

// unread are the collections that the reference service does not know.
var unread = []string{"patient_census", "census_changes", "patient_creations", "audit", "audit_attempts", "leases", "idempotency_keys", "open_merges", "open_merge_steps", "tag_changes"}

// TestWhatWeWriteIsReadByTheReference writes by all kinds of operations, and decodes everything with the types of the reference
// service. What they do not have must stand under derived.
func TestWhatWeWriteIsReadByTheReference(t *testing.T) {
	t.Parallel()
	s := scene{App: testkit.Start(t), t: t}
	s.write()
	s.writeMembers()
	collections, err := s.Store.ListCollectionNames(t.Context(), bson.D{})
	require.NoError(t, err)
	for _, collection := range collections {
		if slices.Contains(unread, collection) || strings.HasPrefix(collection, "xealth_") || strings.HasPrefix(collection, "system.") {
			continue
		}
		reader, ok := readers[collection]
		require.True(t, ok, "nobody decided what the reference service makes of %s", collection)
		documents := s.documents(collection)
		require.NotEmpty(t, documents, "the test writes too little: %s", collection)
		for _, document := range documents {
			decoded := reflect.New(reader)
			require.NoError(t, bson.Unmarshal(document, decoded.Interface()), "%s: %s", collection, document)
			again, err := bson.Marshal(decoded.Interface())
			require.NoError(t, err)
			require.Empty(t, lost(collection, document, again), "the reference service does not have this, or drops it: %s", document)
			if plan, ok := decoded.Interface().(*refPlan); ok && slices.Contains([]string{"patient", "clinician", "clinic"}, plan.Type) {
				require.NoError(t, bson.Unmarshal(plan.Plan, new(refPlanned)), "%s", plan.Plan)
			}
		}
	}
}

// documents returns all documents of a collection as they are stored.
func (s *scene) documents(collection string) []bson.Raw {
	s.t.Helper()
	cursor, err := s.Store.Collection(collection).Find(s.t.Context(), bson.D{})
	require.NoError(s.t, err)
	var documents []bson.Raw
	require.NoError(s.t, cursor.All(s.t.Context(), &documents))
	return documents
}

// lost returns the paths that a document has and its copy has not. What stands under derived does not count, nor what is null.
func lost(path string, document, again bson.Raw) []string {
	var paths []string
	elements, _ := document.Elements()
	for i, element := range elements {
		inner := path + "." + element.Key()
		value, err := again.LookupErr(element.Key())
		switch {
		case element.Key() == "derived" || element.Value().Type == bson.TypeNull:
		case err != nil:
			paths = append(paths, inner)
		case element.Value().Type == bson.TypeEmbeddedDocument && value.Type == bson.TypeEmbeddedDocument:
			paths = append(paths, lost(inner, element.Value().Document(), value.Document())...)
		case element.Value().Type == bson.TypeArray && value.Type == bson.TypeArray:
			paths = append(paths, lost(path+"["+strconv.Itoa(i)+"]", bson.Raw(element.Value().Array()), bson.Raw(value.Array()))...)
		case element.Value().Type != value.Type:
			paths = append(paths, inner+" as another type")
		}
	}
	return paths
}

// TestLostFieldsAreFound: the test above must be able to fail.
func TestLostFieldsAreFound(t *testing.T) {
	t.Parallel()
	document, err := bson.Marshal(bson.D{
		{Key: "name", Value: "North"}, {Key: "derived", Value: bson.M{"a": 1}}, {Key: "count", Value: 1}, {Key: "sites", Value: bson.A{bson.M{"name": "x", "rank": 1}}},
	})
	require.NoError(t, err)
	var decoded refClinic
	require.NoError(t, bson.Unmarshal(document, &decoded))
	again, err := bson.Marshal(decoded)
	require.NoError(t, err)
	require.Equal(t, []string{"c.count", "c[3].0.rank"}, lost("c", document, again))
	require.Error(t, bson.Unmarshal(must(bson.Marshal(bson.M{"name": 7})), &decoded))
}

func must(raw []byte, err error) bson.Raw {
	if err != nil {
		panic(err)
	}
	return raw
}

// writeMembers calls the operations that store what write does not: members, invites, migrations, settings, and what goes.
func (s *scene) writeMembers() {
	s.t.Helper()
	t := s.t
	admin := s.NewMember(t, s.clinic, "CLINIC_ADMIN")
	member := s.NewMember(t, s.clinic, "CLINIC_MEMBER")
	s.ok(http.MethodPut, "/clinicians/"+member, object{"email": member + "@example.com", "roles": []string{"CLINIC_ADMIN", "PRESCRIBER"}, "name": "Max Member"})
	s.ok(http.MethodPost, "/clinicians", object{"inviteId": testkit.NewUserID(), "email": "guest@example.com", "roles": []string{"CLINIC_MEMBER"}})
	s.ok(http.MethodPut, "/settings/mrn", object{"required": false, "unique": true})
	s.ok(http.MethodPut, "/membership_restrictions", object{"restrictions": []any{object{"emailDomain": "example.com", "requiredIdp": "okta"}}})
	s.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics/"+s.clinic+"/suppressed_notifications", object{"suppressedNotifications": object{"patientClinicInvitation": true}}).OK(t, http.StatusOK)
	s.ok(http.MethodPost, "/tier", object{"tier": "tier0200"})
	s.ok(http.MethodPost, "/patient_tags", object{"name": "Short-lived"})
	clinic := s.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+s.clinic, nil).OK(t, http.StatusOK).Object(t)
	for _, tag := range clinic["patientTags"].([]any) {
		if tag.(object)["name"] == "Short-lived" {
			s.ok(http.MethodDelete, "/patient_tags/"+tag.(object)["id"].(string), nil)
		}
	}
	patient := s.patient(clinic, "3000001")
	s.ok(http.MethodPost, "/patients/"+patient+"/connect/dexcom", nil)
	s.Call(t, testkit.User(admin), http.MethodPut, "/v1/clinics/"+s.clinic+"/patients/"+patient+"/reviews", nil).OK(t, http.StatusOK)
	s.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics/"+s.clinic+"/patients/"+patient+"/upload_reminder", nil).OK(t, http.StatusOK)
	s.ok(http.MethodPost, "/patients/"+s.NewUser(t, "Una User"), object{"permissions": object{"view": object{}}, "isMigrated": true, "legacyClinicianId": "0a0a0a0a0a"})
	s.ok(http.MethodPost, "/migrations", object{"userId": admin})
	s.ok(http.MethodDelete, "/clinicians/"+member, nil)
	gone, founder := s.NewClinic(t)
	s.Call(t, testkit.User(founder), http.MethodDelete, "/v1/clinics/"+gone, nil).OK(t, http.StatusNoContent)
}

// TestTheGuideNamesWhatTheReferenceDoesNotKnow holds docs/rollback.md against the list above.
func TestTheGuideNamesWhatTheReferenceDoesNotKnow(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/rollback.md")
	require.NoError(t, err)
	for _, collection := range unread {
		require.Contains(t, string(guide), "`"+collection+"`")
	}
}
