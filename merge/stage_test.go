package merge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

const demoUser = "de00000001"

var demo = config.Demo{PatientUserID: demoUser}

// service returns the merging part of the service.
func service(d *store.Database) *merge.Service {
	log := zap.NewNop()
	counts, tags, remover := counterparts(d)
	s := merge.NewService(d, testkit.Census(d, demoUser), counts, tags, remover, demo, log)
	s.LeaseTime = 300 * time.Millisecond // the tests kill it, and do not want to wait
	return s
}

// counterparts returns what a merge needs of clinics and patients.
func counterparts(d *store.Database) (*clinics.Service, *patients.Service, *clinics.Lifecycle) {
	census := testkit.Census(d, demoUser)
	service := clinics.NewService(d, census)
	members := clinicians.NewService(d, service, nil, nil, nil)
	people := patients.NewService(patients.Params{Database: d, Leases: store.NewLeases(d), Clinics: service, Census: census, Demo: demo, Log: zap.NewNop()})
	return service, people, clinics.NewLifecycle(service, nil, nil, members, people, demo)
}

// Ids of the two clinics on the stage.
var (
	sourceID = id("Source")
	targetID = id("Target")
)

// then is when everything on the stage was made.
var then = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)

// stage stores two clinics with something of everything that a merge has to deal with.
func stage(t testing.TB, d *store.Database) {
	t.Helper()
	insert(t, d, clinics.CollectionName,
		storedClinic(sourceID, "Source", "SSSS-SSSS-SSSS", []string{"admin-s", "both-a"}, []string{"Type 1", "Pump", "f oo"}, []string{"North", "Downtown"}),
		storedClinic(targetID, "Target", "TTTT-TTTT-TTTT", []string{"admin-t"}, []string{"Pump", "Foo", "Old"}, []string{"Downtown", "East"}),
	)
	admin, plain := bson.A{clinicians.RoleAdmin}, bson.A{clinicians.RoleMember}
	insert(t, d, clinicians.CollectionName,
		storedMember(sourceID, "admin-s", admin), storedMember(sourceID, "both-a", admin), storedMember(sourceID, "plain-s", plain),
		storedMember(targetID, "admin-t", admin), storedMember(targetID, "both-a", plain), storedMember(targetID, "plain-t", plain),
		bson.D{
			{Key: "_id", Value: id("Targetinvite")}, {Key: "clinicId", Value: targetID}, {Key: "inviteId", Value: "i1"}, {Key: "email", Value: "invite@x"},
			{Key: "name", Value: nil}, {Key: "roles", Value: plain}, {Key: "createdTime", Value: then}, {Key: "updatedTime", Value: then},
		},
	)
	site := func(w, name string) bson.D {
		return bson.D{{Key: "id", Value: id(w + name)}, {Key: "name", Value: name}}
	}
	insert(t, d, patients.CollectionName,
		storedPatient(sourceID, "moved", bson.D{
			{Key: "fullName", Value: "Mona Moved"}, {Key: "tags", Value: bson.A{id("SourceType 1"), id("Sourcef oo"), id("deleted")}},
			{Key: "sites", Value: bson.A{site("Source", "Downtown"), site("Source", "North")}},
			{Key: "summary", Value: bson.D{{Key: "cgmStats", Value: bson.D{{Key: "id", Value: "c1"}, {Key: "dates", Value: bson.D{{Key: "lastUploadDate", Value: then}}}}}}},
			{Key: "dataSources", Value: bson.A{bson.D{{Key: "providerName", Value: "dexcom"}, {Key: "state", Value: "connected"}}}},
			{Key: "fieldOfAnotherWriter", Value: "kept"},
		}),
		storedPatient(sourceID, "bare", bson.D{{Key: "fullName", Value: "Ben Bare"}}),
		storedPatient(sourceID, "twin", bson.D{{Key: "fullName", Value: "Tom Twin"}, {Key: "mrn", Value: "T-1"}}),
		storedPatient(sourceID, "united", bson.D{
			{Key: "fullName", Value: "Una United"}, {Key: "tags", Value: bson.A{id("SourcePump"), id("SourceType 1")}},
			{Key: "sites", Value: bson.A{site("Source", "Downtown")}},
		}),
		storedPatient(sourceID, "both-bare", bson.D{{Key: "tags", Value: nil}, {Key: "sites", Value: nil}}),
		storedPatient(sourceID, demoUser, bson.D{{Key: "fullName", Value: "Demi Demo"}}),
		storedPatient(targetID, "united", bson.D{
			{Key: "fullName", Value: "Una U."}, {Key: "tags", Value: bson.A{id("TargetOld")}}, {Key: "sites", Value: bson.A{site("Target", "East")}},
		}),
		storedPatient(targetID, "both-bare", nil),
		storedPatient(targetID, "other-twin", bson.D{{Key: "fullName", Value: "tom twin"}, {Key: "mrn", Value: "t-1"}, {Key: "summary", Value: bson.D{}}}),
		storedPatient(targetID, "retained", bson.D{{Key: "tags", Value: bson.A{id("TargetFoo")}}}),
		storedPatient(targetID, demoUser, bson.D{{Key: "fullName", Value: "Demi Demo"}}),
	)
}

func insert(t testing.TB, d *store.Database, collection string, documents ...any) {
	t.Helper()
	_, err := d.Collection(collection).InsertMany(t.Context(), documents)
	require.NoError(t, err)
}

func storedClinic(clinicID bson.ObjectID, name, code string, admins, tags, sites []string) bson.D {
	storedTags, storedSites := bson.A{}, bson.A{}
	for _, tag := range tags {
		storedTags = append(storedTags, bson.D{{Key: "_id", Value: id(name + tag)}, {Key: "name", Value: tag}})
	}
	for _, site := range sites {
		storedSites = append(storedSites, bson.D{{Key: "id", Value: id(name + site)}, {Key: "name", Value: site}})
	}
	return bson.D{
		{Key: "_id", Value: clinicID}, {Key: "name", Value: name}, {Key: "canonicalShareCode", Value: code}, {Key: "shareCodes", Value: bson.A{code, "OLD-" + code}},
		{Key: "admins", Value: admins}, {Key: "PreferredBgUnits", Value: "mg/dL"}, {Key: "timezone", Value: nil},
		{Key: "patientTags", Value: storedTags}, {Key: "sites", Value: storedSites},
		{Key: "createdTime", Value: then}, {Key: "updatedTime", Value: then},
	}
}

func storedMember(clinicID bson.ObjectID, userID string, roles bson.A) bson.D {
	name := map[bson.ObjectID]string{sourceID: "Source", targetID: "Target"}[clinicID]
	return bson.D{
		{Key: "_id", Value: id(name + userID)}, {Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}, {Key: "email", Value: userID + "@" + name},
		{Key: "name", Value: userID}, {Key: "roles", Value: roles}, {Key: "createdTime", Value: then}, {Key: "updatedTime", Value: then},
	}
}

func storedPatient(clinicID bson.ObjectID, userID string, more bson.D) bson.D {
	name := map[bson.ObjectID]string{sourceID: "Source", targetID: "Target"}[clinicID]
	stored := bson.D{
		{Key: "_id", Value: id(name + userID)}, {Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}, {Key: "birthDate", Value: ""},
		{Key: "email", Value: nil}, {Key: "targetDevices", Value: nil}, {Key: "requireUniqueMrn", Value: false},
		{Key: "permissions", Value: bson.D{{Key: "custodian", Value: bson.D{}}}}, {Key: "createdTime", Value: then}, {Key: "updatedTime", Value: then},
	}
	return append(stored, more...)
}
