package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// one returns the only document that matches.
func one(t testing.TB, d *store.Database, collection string, filter bson.D) bson.M {
	t.Helper()
	found := testkit.Documents(t, d, collection, filter)
	require.Len(t, found, 1, "%s %v", collection, filter)
	return found[0]
}

func byID(id bson.ObjectID) bson.D { return bson.D{{Key: "_id", Value: id}} }

func named(document bson.M, names ...string) bson.M {
	part := bson.M{}
	for _, name := range names {
		part[name] = document[name]
	}
	return part
}

func site(id bson.ObjectID, name string) bson.D {
	return bson.D{{Key: "id", Value: id}, {Key: "name", Value: name}}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	moved := one(t, d, patients.CollectionName, byID(id("Sourcemoved")))
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))

	target := one(t, d, clinics.CollectionName, bson.D{})
	require.Equal(t, targetID, target["_id"], "the source is gone")
	tags := target["patientTags"].(bson.A)
	require.Len(t, tags, 4)
	created := tags[3].(bson.D)
	require.Equal(t, "Type 1", created[1].Value)
	require.NotEqual(t, id("SourceType 1"), created[0].Value, "a tag is made, not moved")
	type1 := created[0].Value

	t.Run("the clinic", func(t *testing.T) {
		require.Equal(t, bson.A{
			site(id("TargetDowntown"), "Downtown"), site(id("TargetEast"), "East"), site(id("SourceNorth"), "North"), site(id("SourceDowntown"), "Downtown (2)"),
		}, target["sites"], "sites keep their ids")
		require.Equal(t, bson.A{"admin-t", "admin-s"}, target["admins"], "plain members and merged admins are no admins")
		require.Equal(t, bson.A{"TTTT-TTTT-TTTT", "OLD-TTTT-TTTT-TTTT", "SSSS-SSSS-SSSS", "OLD-SSSS-SSSS-SSSS"}, target["shareCodes"])
		require.Equal(t, "TTTT-TTTT-TTTT", target["canonicalShareCode"])
		require.Equal(t, bson.D{
			{Key: "total", Value: int32(8)}, {Key: "demo", Value: int32(1)}, {Key: "plan", Value: int32(7)},
			{Key: "providers", Value: bson.D{{Key: "dexcom", Value: bson.D{{Key: "states", Value: bson.D{{Key: "connected", Value: int32(1)}}}, {Key: "total", Value: int32(1)}}}}},
		}, target["patientCount"])
	})
	t.Run("a moved patient keeps the document", func(t *testing.T) {
		now := one(t, d, patients.CollectionName, byID(id("Sourcemoved")))
		require.Equal(t, bson.M{
			"clinicId": targetID, "requireUniqueMrn": false, "tags": bson.A{id("TargetFoo"), type1},
			"sites": bson.A{site(id("SourceDowntown"), "Downtown (2)"), site(id("SourceNorth"), "North")},
		}, named(now, "clinicId", "requireUniqueMrn", "tags", "sites"))
		require.Greater(t, now["updatedTime"], moved["updatedTime"])
		for _, changed := range []string{"clinicId", "requireUniqueMrn", "tags", "sites", "updatedTime"} {
			delete(now, changed)
			delete(moved, changed)
		}
		require.Equal(t, moved, now)
	})
	t.Run("a moved patient without tags gets an empty list", func(t *testing.T) {
		now := one(t, d, patients.CollectionName, byID(id("Sourcebare")))
		require.Equal(t, bson.A{}, now["tags"])
		require.NotContains(t, now, "sites")
	})
	t.Run("of a united patient the target's record stays, with the tags and sites of both", func(t *testing.T) {
		now := one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "united"}})
		require.Equal(t, bson.M{
			"_id": id("Targetunited"), "fullName": "Una U.", "tags": bson.A{id("TargetPump"), id("TargetOld"), type1},
			"sites": bson.A{site(id("TargetEast"), "East"), site(id("SourceDowntown"), "Downtown (2)")},
		}, named(now, "_id", "fullName", "tags", "sites"))
		bare := one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "both-bare"}})
		require.Equal(t, id("Targetboth-bare"), bare["_id"])
		require.Equal(t, bson.NewDateTimeFromTime(then), bare["updatedTime"], "nothing to add, so nothing is written")
		require.NotContains(t, bare, "tags")
	})
	t.Run("retained patients are not touched", func(t *testing.T) {
		require.Equal(t, bson.NewDateTimeFromTime(then), one(t, d, patients.CollectionName, byID(id("Targetretained")))["updatedTime"])
	})
	t.Run("members", func(t *testing.T) {
		require.Len(t, testkit.Documents(t, d, clinicians.CollectionName, bson.D{{Key: "clinicId", Value: targetID}}), 6)
		require.Equal(t, targetID, one(t, d, clinicians.CollectionName, byID(id("Sourceadmin-s")))["clinicId"])
		both := one(t, d, clinicians.CollectionName, bson.D{{Key: "userId", Value: "both-a"}})
		require.Equal(t, bson.M{"_id": id("Targetboth-a"), "roles": bson.A{clinicians.RoleMember}, "updatedTime": bson.NewDateTimeFromTime(then)}, named(both, "_id", "roles", "updatedTime"))
	})
	t.Run("only what is gone is recorded as deleted", func(t *testing.T) {
		require.Equal(t, demoUser, field(one(t, d, "patient_deletions", bson.D{})["patient"], "userId"))
		require.Equal(t, sourceID, field(one(t, d, "clinic_deletions", bson.D{})["clinic"], "_id"))
		require.Empty(t, testkit.Documents(t, d, "clinician_deletions", bson.D{}))
		require.NotContains(t, one(t, d, "patient_deletions", bson.D{}), "deletedByUserId")
	})
	t.Run("no bookkeeping is left", func(t *testing.T) {
		for _, collection := range []string{"open_merges", "open_merge_steps", census.NotesCollectionName} {
			require.Empty(t, testkit.Documents(t, d, collection, bson.D{}), collection)
		}
	})
	t.Run("plan documents", func(t *testing.T) { requirePlans(t, d) })
	t.Run("a repeat finds no source", func(t *testing.T) {
		require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, targetID), clinics.ErrNotFound)
	})
}

func field(document any, name string) any {
	for _, element := range document.(bson.D) {
		if element.Key == name {
			return element.Value
		}
	}
	return nil
}

// requirePlans checks what is stored of the plan: a document for each record of both clinics and one that closes it.
func requirePlans(t *testing.T, d *store.Database) {
	plans := testkit.Documents(t, d, merge.PlansCollectionName, bson.D{})
	counts := map[any]int{}
	for _, plan := range plans {
		counts[plan["type"]]++
		require.Equal(t, plans[0]["planId"], plan["planId"])
		require.Len(t, plan, 4)
	}
	require.Equal(t, map[any]int{"tag": 6, "site": 4, "clinician": 7, "patient": 9, "clinic": 1}, counts)
	patient := func(userID, record string) bson.D {
		return one(t, d, merge.PlansCollectionName, bson.D{{Key: "type", Value: "patient"}, {Key: "plan." + record + ".userId", Value: userID}})["plan"].(bson.D)
	}

	united := patient("united", "sourcePatient")
	require.Equal(t, "MERGE", field(united, "patientAction"))
	require.Equal(t, bson.A{"Pump", "Type 1"}, field(united, "sourceTagNames"))
	require.Equal(t, bson.A{"Old", "Pump", "Type 1"}, field(united, "postMigrationTagNames"))
	require.Equal(t, bson.A{"Downtown"}, field(united, "sourceSiteNames"))
	require.Equal(t, bson.A{"Downtown (2)"}, field(united, "mergedSiteNames"))
	require.Equal(t, bson.A{"Downtown (2)", "East"}, field(united, "postMigrationSiteNames"))
	require.Equal(t, bson.A{id("TargetOld")}, field(field(united, "targetPatient"), "tags"), "the state before the merge")

	moved := patient("moved", "sourcePatient")
	require.Equal(t, "MOVE", field(moved, "patientAction"))
	require.Nil(t, field(moved, "targetPatient"))
	require.Equal(t, bson.D{}, field(moved, "conflicts"))
	require.Equal(t, bson.A{"Type 1", "f oo"}, field(moved, "sourceTagNames"))
	require.Equal(t, bson.A{"Foo", "Type 1"}, field(moved, "postMigrationTagNames"))
	require.Nil(t, field(field(moved, "sourcePatient"), "summary"), "a reader of the plan stops at summaries")
	require.Equal(t, sourceID, field(field(moved, "sourcePatient"), "clinicId"))
	require.Equal(t, "kept", field(field(moved, "sourcePatient"), "fieldOfAnotherWriter"))

	conflicts := field(patient("twin", "sourcePatient"), "conflicts").(bson.D)
	require.Equal(t, "Likely Duplicate Accounts", conflicts[0].Key)
	like := conflicts[0].Value.(bson.A)[0]
	require.Equal(t, "Likely Duplicate Accounts", field(like, "category"))
	require.Equal(t, "other-twin", field(field(like, "patient"), "userId"))
	require.Nil(t, field(field(like, "patient"), "summary"))

	for _, plan := range testkit.Documents(t, d, merge.PlansCollectionName, bson.D{{Key: "plan.patientAction", Value: bson.D{{Key: "$in", Value: bson.A{"RETAIN", "MERGE_INTO"}}}}}) {
		require.Nil(t, field(plan["plan"], "sourcePatient"), "a patient who is named as source gets a mail")
		require.Nil(t, field(plan["plan"], "conflicts"))
	}
	closing := one(t, d, merge.PlansCollectionName, bson.D{{Key: "type", Value: "clinic"}})["plan"]
	require.Nil(t, field(field(closing, "source"), "derived"))
	require.Equal(t, int32(2), field(field(field(closing, "source"), "patientTags").(bson.A)[0], "patients"), "with the number of patients")
}

func TestMergeIsRefusedBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	set(t, d, clinics.CollectionName, sourceID, "timezone", "Europe/Berlin")
	require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, targetID), merge.ErrBlocked)
	require.ErrorIs(t, service(d).Merge(t.Context(), targetID, targetID), merge.ErrBlocked)
	require.ErrorIs(t, service(d).Merge(t.Context(), id("unknown"), targetID), clinics.ErrNotFound)
	require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, id("unknown")), clinics.ErrNotFound)
	for _, collection := range []string{"merge_plans", "open_merges", "open_merge_steps", "patient_deletions", "clinic_deletions"} {
		require.Empty(t, testkit.Documents(t, d, collection, bson.D{}), collection)
	}
	require.Len(t, testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "clinicId", Value: sourceID}}), 6)
}

func set(t testing.TB, d *store.Database, collection string, id bson.ObjectID, name string, value any) {
	t.Helper()
	result, err := d.Collection(collection).UpdateByID(t.Context(), id, bson.D{{Key: "$set", Value: bson.D{{Key: name, Value: value}}}})
	require.NoError(t, err)
	require.EqualValues(t, 1, result.MatchedCount)
}

func TestUniqueMRNsAreMarked(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	for _, clinicID := range []bson.ObjectID{sourceID, targetID} {
		set(t, d, clinics.CollectionName, clinicID, "mrnSettings", clinics.MRNSettings{Unique: true})
	}
	require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, targetID), merge.ErrBlocked, "twin and other-twin share a number")
	set(t, d, patients.CollectionName, id("Targetother-twin"), "mrn", "T-2")
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Equal(t, true, one(t, d, patients.CollectionName, byID(id("Sourcetwin")))["requireUniqueMrn"])
	require.Equal(t, false, one(t, d, patients.CollectionName, byID(id("Sourcemoved")))["requireUniqueMrn"], "without a number there is nothing to mark")
}

func TestASiteThatAPatientHasTwiceIsAddedOnce(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	twice := site(id("SourceNorth"), "North")
	set(t, d, patients.CollectionName, id("Sourceunited"), "sites", bson.A{twice, twice})
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Equal(t, bson.A{site(id("TargetEast"), "East"), twice}, one(t, d, patients.CollectionName, byID(id("Targetunited")))["sites"])
}

func TestAPatientIsRepeatedInPlansOfOthersOnlySoOften(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	var crowd []any
	for i := range 150 {
		crowd = append(crowd, storedPatient(targetID, fmt.Sprint("same", i), bson.D{{Key: "fullName", Value: "Ben Bare"}}))
	}
	insert(t, d, patients.CollectionName, crowd...)
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	plan := one(t, d, merge.PlansCollectionName, bson.D{{Key: "plan.sourcePatient.userId", Value: "bare"}})["plan"]
	require.Len(t, field(field(plan, "conflicts"), "Name Only Match"), 100)
}
