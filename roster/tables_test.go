package roster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// ask lists the patients of a clinic in an order that has no index.
func ask(ctx context.Context, lists *roster.Service, clinicID bson.ObjectID, sort string) (int, error) {
	query, err := roster.ParseQuery(map[string][]string{"sort": {sort}, "sortType": {"cgm"}}, store.Page{Limit: 5})
	if err != nil {
		return 0, err
	}
	list, err := lists.List(ctx, clinicID, query)
	if err != nil {
		return 0, err
	}
	for _, err := range list.Rows {
		if err != nil {
			return 0, err
		}
	}
	return list.Count, nil
}

// The tables of clinics that were not asked for lately make room for others, and a clinic that is too large has none.
func TestTablesStayWithinTheirBound(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lists.LimitTables(80_000)
	random := rand.New(rand.NewPCG(1, 2))
	var clinicIDs []bson.ObjectID
	for range 8 {
		other := &stage{clinicID: bson.NewObjectID()}
		var documents []any
		for i := range 40 {
			record := other.patient(random, i)
			record["_id"] = bson.NewObjectID()
			documents = append(documents, record)
		}
		_, err := s.store.Collection(patients.CollectionName).InsertMany(t.Context(), documents)
		require.NoError(t, err)
		clinicIDs = append(clinicIDs, other.clinicID)
	}
	for range 2 {
		for _, clinicID := range clinicIDs {
			n, err := ask(t.Context(), s.lists, clinicID, "+birthDate")
			require.NoError(t, err)
			require.Equal(t, 40, n)
			_, _, bytes := s.lists.TableSizes()
			require.LessOrEqual(t, bytes, 80_000)
		}
	}
	tables, rows, _ := s.lists.TableSizes()
	require.Greater(t, tables, 1)
	require.Less(t, tables, 8)
	require.Equal(t, 40*tables, rows)
	require.EqualValues(t, 16, s.lists.TableTallies().Loads.Total(), "each was forgotten before it came again")

	s.lists.LimitTables(10_000)
	for _, sort := range []string{"+birthDate", "-hoursWithData"} {
		n, err := ask(t.Context(), s.lists, s.clinicID, sort)
		require.NoError(t, err)
		require.Equal(t, len(s.records), n)
	}
	require.EqualValues(t, 16, s.lists.TableTallies().Loads.Total())
}

// Who asks at the same time shares the work, and nobody ends it for the others by leaving.
func TestCallersShareATable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var all sync.WaitGroup
	for i := range 40 {
		ctx, leave := context.WithCancel(t.Context())
		all.Go(func() {
			defer leave()
			n, err := ask(ctx, s.lists, s.clinicID, []string{"+birthDate", "-hoursWithData", "+minDelta"}[i%3])
			if i%4 > 0 && (err != nil || n != len(s.records)) {
				t.Errorf("got %d, %v", n, err)
			}
		})
		if i%4 == 0 {
			time.Sleep(time.Millisecond)
			leave()
		}
	}
	all.Wait()
	require.EqualValues(t, 1, s.lists.TableTallies().Loads.Total())
}

// An error of the database is the error of the request, and the table is right afterwards.
func TestATableSurvivesAnError(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
		_, err := ask(ctx, s.lists, s.clinicID, "+birthDate")
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		_, err = s.store.Collection(patients.CollectionName).UpdateOne(t.Context(), bson.D{{Key: "clinicId", Value: s.clinicID}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "birthDate", Value: fmt.Sprint(3000 + i)}, {Key: "updatedTime", Value: store.Now()}}}})
		require.NoError(t, err)
	}
	s.records = testkit.Documents(t, s.store, patients.CollectionName, bson.D{{Key: "clinicId", Value: s.clinicID}})
	got, _ := s.list(t, map[string][]string{"sort": {"-birthDate"}, "sortType": {"cgm"}}, everyone)
	require.Equal(t, s.sorted(nil, key{path: "birthDate", descending: true}), got)
}

// Many new names at once are placed by reading the whole order, a few by asking for their neighbours; both come to the same.
func TestNewNamesFindTheirPlaces(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	search := map[string][]string{"search": {"2"}}
	for _, many := range []int{1, 3, 48} {
		for _, sign := range []string{"+", "-"} {
			search["sort"], search["sortType"] = []string{sign + "fullName"}, []string{"cgm"}
			s.list(t, search, everyone)
			for i := range many {
				_, err := s.store.Collection(patients.CollectionName).UpdateByID(t.Context(), s.records[i]["_id"],
					bson.D{{Key: "$set", Value: bson.D{{Key: "fullName", Value: names[(i*5+many)%12]}, {Key: "updatedTime", Value: store.Now()}}}})
				require.NoError(t, err)
			}
			s.records = testkit.Documents(t, s.store, patients.CollectionName, bson.D{{Key: "clinicId", Value: s.clinicID}})
			want := s.sorted(func(record bson.M) bool { return matchesAny(record, "2") }, key{path: "fullName", descending: sign == "-"})
			got, _ := s.list(t, search, everyone)
			require.Equal(t, want, got, "%d names, %s", many, sign)
		}
	}
}
