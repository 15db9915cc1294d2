package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// through returns the database as it is seen through the proxy.
func through(t testing.TB, proxy *wire.Proxy, name string) *store.Database {
	t.Helper()
	settings := testkit.Store(name)
	settings.Addresses = proxy.Address()
	settings.OptParams = "directConnection=true&serverSelectionTimeoutMS=100"
	d, err := store.Open(settings, zap.NewNop(), store.Monitors{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return d.Connect(t.Context(), false) == nil }, 20*time.Second, 10*time.Millisecond,
		"a busy machine may take longer than the driver is given")
	t.Cleanup(func() { _ = d.Close(t.Context()) })
	return d
}

func clear(t testing.TB, d *store.Database) {
	t.Helper()
	for _, collection := range []string{
		clinics.CollectionName, clinicians.CollectionName, patients.CollectionName, merge.PlansCollectionName, "open_merges", "open_merge_steps",
		"clinic_deletions", "clinician_deletions", "patient_deletions", census.NotesCollectionName, census.CollectionName,
	} {
		_, err := d.Collection(collection).DeleteMany(t.Context(), bson.D{})
		require.NoError(t, err)
	}
}

// state returns everything that is stored, without times, and with words in place of ids that are new in each run.
func state(t testing.TB, d *store.Database) map[string][]string {
	t.Helper()
	words := map[bson.ObjectID]string{}
	for _, clinic := range testkit.Documents(t, d, clinics.CollectionName, byID(targetID)) {
		for _, tag := range clinic["patientTags"].(bson.A) {
			words[field(tag, "_id").(bson.ObjectID)] = "tag " + field(tag, "name").(string)
		}
	}
	for _, plan := range testkit.Documents(t, d, merge.PlansCollectionName, bson.D{}) {
		words[plan["planId"].(bson.ObjectID)] = "plan"
		words[plan["_id"].(bson.ObjectID)] = "document"
	}
	stored := map[string][]string{}
	collections, err := d.ListCollectionNames(t.Context(), bson.D{})
	require.NoError(t, err)
	for _, collection := range collections {
		var documents []string
		for _, document := range testkit.Documents(t, d, collection, bson.D{}) {
			if collection == census.CollectionName {
				delete(document, "changes") // a repeat changes the numbers once more
			}
			documents = append(documents, fmt.Sprint(plain(document, words)))
		}
		slices.Sort(documents)
		if len(documents) > 0 {
			stored[collection] = documents
		}
	}
	return stored
}

func plain(value any, words map[bson.ObjectID]string) any {
	switch v := value.(type) {
	case bson.M:
		changed := map[string]any{}
		for name, inner := range v {
			changed[name] = plain(inner, words)
		}
		return changed
	case bson.D:
		changed := map[string]any{}
		for _, element := range v {
			if slices.Contains([]string{"change", "recount"}, element.Key) {
				continue // how often something was counted
			}
			changed[word(element.Key, words)] = plain(element.Value, words)
		}
		return changed
	case bson.A:
		changed := []any{}
		for _, inner := range v {
			changed = append(changed, plain(inner, words))
		}
		return changed
	case bson.ObjectID:
		return word(v.Hex(), words)
	case bson.DateTime:
		if time.Since(v.Time()) < time.Hour {
			return "now"
		}
		return v.Time().UTC().String()
	default:
		return v
	}
}

func word(text string, words map[bson.ObjectID]string) string {
	if id, err := bson.ObjectIDFromHex(text); err == nil {
		if word, ok := words[id]; ok {
			return word
		}
		if time.Since(id.Timestamp()).Abs() < time.Hour {
			return "new"
		}
	}
	return text
}

// everybody returns the users who are patients or members of one of the clinics on the stage.
func everybody(t testing.TB, d *store.Database) []string {
	t.Helper()
	var found []string
	for _, collection := range []string{patients.CollectionName, clinicians.CollectionName} {
		for _, document := range testkit.Documents(t, d, collection, bson.D{{Key: "clinicId", Value: bson.D{{Key: "$in", Value: bson.A{sourceID, targetID}}}}}) {
			found = append(found, fmt.Sprint(collection, " ", document["userId"]))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestMergeIsCutOffAtEveryWrite breaks the connection to the database at each write of a merge, looks whether anybody is
// lost, and repeats the call: the end must be the same as without the cut. The tests in test/faults do that with other cuts.
func TestMergeIsCutOffAtEveryWrite(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "stops a merge between any two of its writes; the driver repeats a transaction that was cut off, for two minutes")
	for _, kind := range []wire.Kind{wire.Halved, wire.Down} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			proxy, err := wire.Start(testkit.Store("").Addresses)
			require.NoError(t, err)
			t.Cleanup(proxy.Close)
			d := testkit.Database(t)
			cutOff := through(t, proxy, d.Name())
			stage(t, d)
			all := everybody(t, d)
			count(t, d)
			require.NoError(t, service(cutOff).Merge(t.Context(), sourceID, targetID))
			writes := proxy.Writes()
			want := state(t, d)
			for k, write := range writes {
				if kind == wire.Halved && len(write.Statements()) < 2 {
					continue
				}
				cutOff := through(t, proxy, d.Name()) // the driver looks for a server that it lost only twice a second
				clear(t, d)
				stage(t, d)
				count(t, d)
				proxy.Arm(wire.Fault{Write: k + 1, Kind: kind})
				first := service(cutOff).Merge(t.Context(), sourceID, targetID)
				if !proxy.Heal() {
					// How often a merge says that it is alive depends on the time it takes, and so does the number of writes.
					require.NoError(t, first)
					require.Greater(t, k, 30)
					break
				}
				at := fmt.Sprintf("%s at write %d, %s", kind, k+1, write)
				require.Equal(t, all, everybody(t, d), "nobody may be in neither clinic: "+at)
				if first != nil {
					requireRepeat(t, d)
				}
				sweep(t, d)
				requireState(t, want, state(t, d), at)
			}
		})
	}
}

// count counts the patients of the clinics on the stage, as a service does that has shown them once.
func count(t *testing.T, d *store.Database) {
	t.Helper()
	for _, id := range []bson.ObjectID{sourceID, targetID} {
		_, err := testkit.Census(d, demoUser).Recount(t.Context(), id)
		require.NoError(t, err)
	}
}

// sweep does at once what the service does a minute after a process died.
func sweep(t *testing.T, d *store.Database) {
	t.Helper()
	testkit.SweepCensus(t, d, demoUser)
}

// requireRepeat repeats a merge that was cut off. It may find that all was done.
func requireRepeat(t *testing.T, d *store.Database) {
	t.Helper()
	if err := service(d).Merge(t.Context(), sourceID, targetID); err != nil {
		require.ErrorIs(t, err, clinics.ErrNotFound)
		require.Len(t, testkit.Documents(t, d, merge.PlansCollectionName, bson.D{{Key: "type", Value: "clinic"}}), 1, "then it is complete")
	}
}

func requireState(t *testing.T, want, got map[string][]string, at string) {
	t.Helper()
	for collection := range want {
		require.Equal(t, strings.Join(want[collection], "\n"), strings.Join(got[collection], "\n"), collection+": "+at)
	}
	for collection := range got {
		if want[collection] != nil {
			continue
		}
		require.Empty(t, got[collection], collection+" left: "+at)
	}
}
