package merge_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// interrupted returns a database in which a merge was cut off at its first write to a collection.
func interrupted(t *testing.T, collection string) *store.Database {
	t.Helper()
	proxy, err := wire.Start(testkit.Store("").Addresses)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	d := testkit.Database(t)
	stage(t, d)
	proxy.Arm(wire.Fault{Write: 1, Kind: wire.Down, Counts: func(c wire.Command) bool {
		return c.IsWrite() && strings.HasSuffix(c.String(), " "+collection)
	}})
	require.Error(t, service(through(t, proxy, d.Name())).Merge(t.Context(), sourceID, targetID))
	require.True(t, proxy.Heal())
	return d
}

func owner(t *testing.T, d *store.Database, collection, userID string) bson.ObjectID {
	t.Helper()
	return one(t, d, collection, bson.D{{Key: "userId", Value: userID}})["clinicId"].(bson.ObjectID)
}

func TestWhatComesIntoTheSourceDuringAMergeIsMovedToo(t *testing.T) {
	t.Parallel()
	d := interrupted(t, patients.CollectionName)
	_, err := d.Collection(clinics.CollectionName).UpdateByID(t.Context(), sourceID, bson.D{{Key: "$push", Value: bson.D{
		{Key: "patientTags", Value: bson.D{{Key: "_id", Value: id("Sourcelate")}, {Key: "name", Value: "Late"}}},
		{Key: "sites", Value: site(id("Sourcelate"), "East")},
	}}})
	require.NoError(t, err)
	insert(t, d, patients.CollectionName, storedPatient(sourceID, "late", bson.D{
		{Key: "tags", Value: bson.A{id("Sourcelate"), id("SourcePump")}}, {Key: "sites", Value: bson.A{site(id("Sourcelate"), "East")}},
	}))
	insert(t, d, clinicians.CollectionName, storedMember(sourceID, "late", bson.A{clinicians.RoleAdmin}))
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))

	late := one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "late"}})
	require.Equal(t, targetID, late["clinicId"])
	require.Len(t, late["tags"], 2)
	require.Equal(t, bson.A{site(id("Sourcelate"), "East (2)")}, late["sites"])
	require.Equal(t, targetID, owner(t, d, clinicians.CollectionName, "late"))
	target := one(t, d, clinics.CollectionName, bson.D{})
	require.Equal(t, bson.A{"admin-t", "admin-s", "late"}, target["admins"])
	require.Len(t, target["sites"], 5)
	require.Len(t, target["patientTags"], 5)
	plans := map[any]int{}
	for _, plan := range testkit.Documents(t, d, merge.PlansCollectionName, bson.D{}) {
		plans[plan["type"]]++
	}
	require.Equal(t, map[any]int{"tag": 7, "site": 5, "clinician": 8, "patient": 10, "clinic": 1}, plans, "one for each record, and none twice")
}

func TestAPatientWhoJoinsTheTargetDuringAMergeIsUnited(t *testing.T) {
	t.Parallel()
	d := interrupted(t, patients.CollectionName)
	insert(t, d, patients.CollectionName, storedPatient(targetID, "bare", bson.D{{Key: "fullName", Value: "B. Bare"}}))
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Equal(t, "B. Bare", one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "bare"}})["fullName"])
	plan := one(t, d, merge.PlansCollectionName, bson.D{{Key: "plan.sourcePatient.userId", Value: "bare"}})["plan"]
	require.Equal(t, "MERGE", field(plan, "patientAction"))
	require.Equal(t, targetID, owner(t, d, patients.CollectionName, "moved"), "the others of the same batch are not held up")
}

func TestAPatientWhoLeavesTheTargetDuringAMergeIsMoved(t *testing.T) {
	t.Parallel()
	d := interrupted(t, patients.CollectionName)
	_, err := d.Collection(patients.CollectionName).DeleteOne(t.Context(), byID(id("Targetunited")))
	require.NoError(t, err)
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Equal(t, "Una United", one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "united"}})["fullName"], "the record of the source is the only one, and stays")
}

func TestAPatientWhoLeavesTheSourceDuringAMergeStaysAway(t *testing.T) {
	t.Parallel()
	d := interrupted(t, patients.CollectionName)
	_, err := d.Collection(patients.CollectionName).DeleteOne(t.Context(), byID(id("Sourcebare")))
	require.NoError(t, err)
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Empty(t, testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "bare"}}))
	require.Empty(t, testkit.Documents(t, d, merge.PlansCollectionName, bson.D{{Key: "plan.sourcePatient.userId", Value: "bare"}}), "nobody is mailed")
}

func TestAMergeThatBecomesBlockedGoesOnLater(t *testing.T) {
	t.Parallel()
	d := interrupted(t, clinicians.CollectionName)
	insert(t, d, clinicians.CollectionName, storedMember(targetID, "thief", bson.A{clinicians.RoleMember}))
	set(t, d, clinicians.CollectionName, id("Targetthief"), "email", "plain-s@Source")
	require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, targetID), merge.ErrBlocked)
	require.Equal(t, sourceID, owner(t, d, clinicians.CollectionName, "plain-s"))
	require.Equal(t, targetID, owner(t, d, clinicians.CollectionName, "admin-s"), "the others are moved")
	insert(t, d, clinics.CollectionName, storedClinic(id("Third"), "Third", "3333-3333-3333", nil, nil, nil))
	require.ErrorIs(t, service(d).Merge(t.Context(), id("Third"), targetID), merge.ErrUnderWay, "no other merge begins meanwhile")

	_, err := d.Collection(clinicians.CollectionName).DeleteOne(t.Context(), byID(id("Targetthief")))
	require.NoError(t, err)
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	require.Equal(t, targetID, owner(t, d, clinicians.CollectionName, "plain-s"))
	require.Equal(t, 1, len(testkit.Documents(t, d, merge.PlansCollectionName, bson.D{{Key: "type", Value: "clinic"}})))
}

func TestAMergeThatIsBlockedBeforeItsFirstStepIsForgotten(t *testing.T) {
	t.Parallel()
	d := interrupted(t, "open_merge_steps")
	require.Len(t, testkit.Documents(t, d, "open_merges", bson.D{}), 1)
	set(t, d, clinics.CollectionName, sourceID, "timezone", "Europe/Berlin")
	require.ErrorIs(t, service(d).Merge(t.Context(), sourceID, targetID), merge.ErrBlocked)
	require.Empty(t, testkit.Documents(t, d, "open_merges", bson.D{}))
	require.Empty(t, testkit.Documents(t, d, "open_merge_steps", bson.D{}))
	require.Len(t, testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "clinicId", Value: sourceID}}), 6)
}

func TestTwoCallsForTheSameMergeDoItOnce(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	errors := make([]error, 4)
	var calls sync.WaitGroup
	for i := range errors {
		s := service(d)
		s.LeaseTime = 3 * time.Second
		calls.Go(func() { errors[i] = s.Merge(t.Context(), sourceID, targetID) })
	}
	calls.Wait()
	succeeded := 0
	for _, err := range errors {
		if err == nil {
			succeeded++
			continue
		}
		if clinics.ErrNotFound.Error() != err.Error() {
			require.ErrorIs(t, err, merge.ErrUnderWay)
		}
	}
	require.NotZero(t, succeeded)
	requirePlans(t, d)
	require.Len(t, one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "united"}})["sites"], 2, "no site twice")
}

// TestSitesThatChangeDuringAMerge: the plan says that one patient moves with sites, of which one gets another name, and that another
// one gets sites and tags; now the one has no sites any more, and the other has got them already.
func TestSitesThatChangeDuringAMerge(t *testing.T) {
	t.Parallel()
	d := interrupted(t, patients.CollectionName)
	set := func(userID string, clinicID bson.ObjectID, update bson.D) {
		result, err := d.Collection(patients.CollectionName).UpdateOne(t.Context(), bson.D{{Key: "userId", Value: userID}, {Key: "clinicId", Value: clinicID}}, update)
		require.NoError(t, err)
		require.EqualValues(t, 1, result.ModifiedCount)
	}
	set("moved", sourceID, bson.D{{Key: "$unset", Value: bson.D{{Key: "sites", Value: ""}}}})
	set("united", targetID, bson.D{{Key: "$push", Value: bson.D{{Key: "sites", Value: site(id("SourceDowntown"), "Downtown (2)")}}}})
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))

	moved := one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "moved"}})
	require.Equal(t, targetID, moved["clinicId"])
	require.NotContains(t, moved, "sites")
	require.Len(t, moved["tags"], 2)
	united := one(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "united"}})
	require.Equal(t, targetID, united["clinicId"])
	require.Equal(t, bson.A{site(id("TargetEast"), "East"), site(id("SourceDowntown"), "Downtown (2)")}, united["sites"])
	require.Len(t, united["tags"], 3, "those of both")
}
