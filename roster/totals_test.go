package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// The total is right at once after every write that leaves a trace, whoever made it, and soon after any other.
func TestTotalsFollowWhatOthersWrite(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	lists := roster.NewService(d)
	lists.KeepTotals(time.Hour)
	clinicID := bson.NewObjectID()
	records, owners := d.Collection(patients.CollectionName), d.Collection(clinics.CollectionName)
	total := func() int {
		t.Helper()
		query, err := roster.ParseQuery(nil, everyone)
		require.NoError(t, err)
		list, err := lists.List(t.Context(), clinicID, query)
		require.NoError(t, err)
		rows := 0
		for _, err := range list.Rows {
			require.NoError(t, err)
			rows++
		}
		require.Equal(t, list.Total, list.Count)
		require.Equal(t, rows, list.Total)
		return list.Total
	}
	add := func(id bson.ObjectID, userID string) {
		t.Helper()
		_, err := records.InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}})
		require.NoError(t, err)
	}
	require.Zero(t, total())
	_, err := owners.InsertOne(t.Context(), bson.D{{Key: "_id", Value: clinicID}, {Key: "shareCodes", Value: bson.A{clinicID.Hex()}}, {Key: "canonicalShareCode", Value: clinicID.Hex()}})
	require.NoError(t, err)

	// A record that appears without anything else.
	add(bson.NewObjectID(), "aa00000001")
	require.Equal(t, 1, total())
	add(bson.NewObjectID(), "aa00000002")
	require.Equal(t, 2, total())

	// An older writer removes one and refreshes the count.
	_, err = records.DeleteOne(t.Context(), bson.D{{Key: "userId", Value: "aa00000001"}})
	require.NoError(t, err)
	_, err = owners.UpdateByID(t.Context(), clinicID, bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount.total", Value: 1}}}})
	require.NoError(t, err)
	require.Equal(t, 1, total())

	// This service adds an old record back, as a merge does, and counts it.
	add(bson.ObjectID{1}, "aa00000001")
	_, err = owners.UpdateByID(t.Context(), clinicID, bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount.total", Value: 2}}}})
	require.NoError(t, err)
	require.Equal(t, 2, total())

	// One that is removed without a trace.
	_, err = records.DeleteOne(t.Context(), bson.D{{Key: "userId", Value: "aa00000001"}})
	require.NoError(t, err)
	lists.KeepTotals(0)
	require.Equal(t, 1, total())
}

// On a large collection new indexes are built in the background; until then lists are slower, and right.
func TestListsAreRightWithoutTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, set := range patients.Indexes() {
		for _, index := range set.Indexes {
			if set.Collection == patients.CollectionName && !index.Unique {
				require.NoError(t, s.store.Collection(set.Collection).Indexes().DropOne(t.Context(), index.Name))
			}
		}
	}
	for _, test := range []struct {
		sort string
		keys []key
	}{
		{"+fullName", []key{{path: "fullName"}}},
		{"-timeInTargetPercent", wantedKeys("cgm", "14d", "timeInTargetPercent", true)},
		{"+lastData", wantedKeys("cgm", "14d", "lastData", false)},
	} {
		got, _ := s.list(t, map[string][]string{"sort": {test.sort}, "sortType": {"cgm"}}, everyone)
		require.Equal(t, s.sorted(nil, test.keys...), got, test.sort)
	}
}
