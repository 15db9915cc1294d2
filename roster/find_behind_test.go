package roster_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// foundList is a list of patients of several clinics.
type foundList struct {
	whole  func(context.Context, *roster.Service) iter.Seq2[roster.Row, error]
	behind func(ctx context.Context, lists *roster.Service, after *roster.Place, limit int) (iter.Seq2[roster.Row, error], *roster.Place, error)
	// like is what a record has that is found.
	like func() bson.M
}

// foundLists are all kinds of them; the clinics are those of the stage.
func (s *pagesStage) foundLists() map[string]foundList {
	user := testkit.NewUserID()
	lists := map[string]foundList{"records of a user": {
		whole: func(ctx context.Context, lists *roster.Service) iter.Seq2[roster.Row, error] {
			return lists.OfUser(ctx, user, everyone)
		},
		behind: func(ctx context.Context, lists *roster.Service, after *roster.Place, limit int) (iter.Seq2[roster.Row, error], *roster.Place, error) {
			return lists.OfUserBehind(ctx, user, after, limit)
		},
		like: func() bson.M { return bson.M{"userId": user, "clinicId": bson.NewObjectID()} },
	}}
	one, both := []bson.ObjectID{s.clinicID}, []bson.ObjectID{s.clinicID, s.other}
	for name, wanted := range map[string]struct {
		clinics        []bson.ObjectID
		mrn, birthDate string
	}{
		"a clinic": {clinics: one}, "several clinics": {clinics: both}, "a number": {both, "f.1", ""},
		"a birth date": {both, "", "1977-07-07"}, "a number and a birth date": {one, "F.1", "1977-07-07"},
	} {
		lists[name] = foundList{
			whole: func(ctx context.Context, lists *roster.Service) iter.Seq2[roster.Row, error] {
				return lists.Find(ctx, wanted.clinics, wanted.mrn, wanted.birthDate, everyone)
			},
			behind: func(ctx context.Context, lists *roster.Service, after *roster.Place, limit int) (iter.Seq2[roster.Row, error], *roster.Place, error) {
				return lists.FindBehind(ctx, wanted.clinics, wanted.mrn, wanted.birthDate, after, limit)
			},
			like: func() bson.M {
				return bson.M{"userId": testkit.NewUserID(), "clinicId": choose(s.random, wanted.clinics...), "mrn": "F.1", "birthDate": "1977-07-07"}
			},
		}
	}
	return lists
}

func (s *pagesStage) newFound(list foundList) bson.M {
	record := list.like()
	record["fullName"], record["updatedTime"] = choose(s.random, append([]any{strings.Repeat("L", 1500), strings.Repeat("l", 1501)}, moreNames...)...), store.Now()
	return record
}

// stir lets somebody come, go or take another name, above all somebody of the last page. It reports whether somebody went whose name no place
// keeps; such a patient takes no other name, because a page behind begins where the patient is then.
func (s *pagesStage) stir(t *testing.T, list foundList, shown []bson.ObjectID) (unkept bool) {
	t.Helper()
	defer s.recount(t)
	if len(shown) == 0 || s.random.IntN(3) == 0 {
		_, err := s.records().InsertOne(t.Context(), s.newFound(list))
		require.NoError(t, err)
		return false
	}
	who := bson.D{{Key: "_id", Value: choose(s.random, shown[len(shown)-1], choose(s.random, shown...))}}
	var record struct {
		FullName bson.RawValue `bson:"fullName"`
	}
	require.NoError(t, s.records().FindOne(t.Context(), who).Decode(&record))
	unkept = record.FullName.Type == bson.TypeInt32 || len(record.FullName.Value) > 1000
	switch {
	case unkept && s.random.IntN(4) > 0:
		return false
	case unkept || s.random.IntN(2) == 0:
		require.NoError(t, s.removeAsOlder(t, s.random, who[0].Value))
		return unkept
	}
	_, err := s.records().UpdateOne(t.Context(), who, bson.D{{Key: "$set", Value: bson.D{
		{Key: "fullName", Value: choose(s.random, moreNames...)}, {Key: "updatedTime", Value: store.Now()},
	}}})
	require.NoError(t, err)
	return false
}

func idsOf(t *testing.T, rows iter.Seq2[roster.Row, error]) (ids []bson.ObjectID) {
	t.Helper()
	for row, err := range rows {
		require.NoError(t, err)
		ids = append(ids, row.Patient.ID)
	}
	return ids
}

// walkFound reads all pages of the list, each from any replica, with places that went through their stored form.
func (s *pagesStage) walkFound(t *testing.T, list foundList, limit int, meanwhile func(shown []bson.ObjectID)) (all []bson.ObjectID, err error) {
	t.Helper()
	var place *roster.Place
	for pages := 0; ; pages++ {
		require.Less(t, pages, 400, "the pages do not end")
		rows, next, err := list.behind(t.Context(), choose(s.random, s.replicas...), place, limit)
		if err != nil {
			return nil, err
		}
		shown := idsOf(t, rows)
		require.LessOrEqual(t, len(shown), limit)
		all = append(all, shown...)
		if next == nil {
			return all, nil
		}
		encoded, err := bson.Marshal(next)
		require.NoError(t, err)
		place = &roster.Place{}
		require.NoError(t, bson.Unmarshal(encoded, place))
		meanwhile(shown)
	}
}

// Who is found, and stays as they are, stands on exactly one page, in order, whoever comes, goes or takes another name between the pages.
func TestWhoIsFoundAndStaysStandsOnOnePage(t *testing.T) {
	t.Parallel()
	s := newPagesStage(t, rand.Uint64())
	slow := roster.NewService(s.store)
	slow.LimitTables(0)
	s.replicas = append(s.replicas, slow)
	stayed, ended := 0, 0
	for name, list := range s.foundLists() {
		var records []any
		for range 20 {
			records = append(records, s.newFound(list))
		}
		_, err := s.records().InsertMany(t.Context(), records)
		require.NoError(t, err)
		s.recount(t)
		for _, limit := range []int{1, 4} {
			want := idsOf(t, list.whole(t.Context(), s.replicas[0]))
			got, err := s.walkFound(t, list, limit, func([]bson.ObjectID) {})
			require.NoError(t, err, name)
			require.Equal(t, want, got, "%s, by %d, while nobody changes anything", name, limit)

			before := s.allRecords(t)
			unkept := false
			got, err = s.walkFound(t, list, limit, func(shown []bson.ObjectID) { unkept = s.stir(t, list, shown) })
			if err != nil {
				require.Equal(t, errs.Reason("cursor_gone"), errs.ReasonOf(err), "%s: %v", name, err)
				require.True(t, unkept, name)
				ended++
				continue
			}
			after := s.allRecords(t)
			want = slices.DeleteFunc(idsOf(t, list.whole(t.Context(), s.replicas[0])), func(id bson.ObjectID) bool { return before[id] != after[id] })
			got = slices.DeleteFunc(got, func(id bson.ObjectID) bool { return !slices.Contains(want, id) })
			require.Equal(t, want, got, "%s, by %d", name, limit)
			stayed += len(want)
		}
	}
	t.Logf("%d stayed, %d lists had to be begun anew", stayed, ended)
	require.Greater(t, stayed, 60)
}

func (s *pagesStage) allRecords(t *testing.T) map[bson.ObjectID]string {
	t.Helper()
	cursor, err := s.records().Find(t.Context(), bson.D{})
	require.NoError(t, err)
	found := map[bson.ObjectID]string{}
	for cursor.Next(t.Context()) {
		found[cursor.Current.Lookup("_id").ObjectID()] = string(cursor.Current)
	}
	require.NoError(t, cursor.Err())
	return found
}

// If the last row of a page goes, or takes another name, before its place is read, the page is chosen anew.
func TestAPageEndsWhereItsLastRowStands(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(ctx context.Context, d *store.Database, id bson.ObjectID, time int) error{
		"gone": func(ctx context.Context, d *store.Database, id bson.ObjectID, _ int) error {
			_, err := d.Collection(patients.CollectionName).DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
			return err
		},
		"renamed": func(ctx context.Context, d *store.Database, id bson.ObjectID, time int) error {
			_, err := d.Collection(patients.CollectionName).UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: "fullName", Value: fmt.Sprint("Z", time)}}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, clinics := testkit.Database(t), []bson.ObjectID{bson.NewObjectID(), bson.NewObjectID()}
			var records []any
			for i, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9} {
				records = append(records, bson.M{"_id": bson.ObjectID{11: id, 0: clinics[0][11]}, "clinicId": clinics[i%2], "userId": testkit.NewUserID(), "fullName": fmt.Sprint("A", i)})
			}
			made, err := d.Collection(patients.CollectionName).InsertMany(t.Context(), records)
			require.NoError(t, err)
			id := func(i int) bson.ObjectID { return made.InsertedIDs[i].(bson.ObjectID) }
			lists, times := roster.NewService(d), 0
			rows, next, err := lists.FindBehindWhile(t.Context(), clinics, 3, func() {
				if times++; times == 1 {
					require.NoError(t, change(t.Context(), d, id(2), times))
				}
			})
			require.NoError(t, err)
			require.Equal(t, []bson.ObjectID{id(0), id(1), id(3)}, idsOf(t, rows))
			rows, _, err = lists.FindBehind(t.Context(), clinics, "", "", next, 3)
			require.NoError(t, err)
			require.Equal(t, []bson.ObjectID{id(4), id(5), id(6)}, idsOf(t, rows))

			for i := range 2 { // whoever stands last takes another name each time
				require.NoError(t, change(t.Context(), d, id(i), i))
			}
			_, _, err = lists.FindBehindWhile(t.Context(), clinics, 1, func() {
				first := idsOf(t, lists.Find(t.Context(), clinics, "", "", store.Page{Limit: 1}))
				require.NoError(t, change(t.Context(), d, first[0], 10+times))
				times++
			})
			require.Equal(t, errs.Unavailable, errs.KindOf(err), "%v", err)
		})
	}
}
