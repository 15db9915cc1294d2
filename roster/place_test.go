package roster_test

import (
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

// walk lists everybody page by page, each behind the place of the last row of the one before, which went through its stored form.
// Between pages it calls meanwhile.
func walk(t *testing.T, lists func() *roster.Service, clinicID bson.ObjectID, parameters map[string][]string, limit int, meanwhile func()) (users []string, counts []int, err error) {
	t.Helper()
	var place *roster.Place
	for pages := 0; ; pages++ {
		require.Less(t, pages, 400, "the pages do not end")
		query, err := roster.ParseQuery(parameters, store.Page{Limit: limit})
		require.NoError(t, err)
		list, err := lists().List(t.Context(), clinicID, query.Behind(place))
		if err != nil {
			return users, counts, err
		}
		counts = append(counts, list.Count)
		for row, err := range list.Rows {
			if err != nil {
				return users, counts, err
			}
			users = append(users, row.Patient.UserID)
			require.NotNil(t, row.Place, "nobody is renamed while a page is read")
			encoded, err := bson.Marshal(row.Place)
			require.NoError(t, err)
			place = &roster.Place{}
			require.NoError(t, bson.Unmarshal(encoded, place))
		}
		if !list.More {
			return users, counts, nil
		}
		meanwhile()
	}
}

// Pages behind places show the whole list, whether a table chooses them or the database.
func TestPagesBehindPlacesFitTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	without := roster.NewService(s.store)
	without.LimitTables(0)
	for _, sort := range []string{"", "-fullName", "+birthDate", "+timeInTargetPercent", "-lastData", "+lastReviewed", "-timeInLowPercentDelta"} {
		for _, filter := range []map[string][]string{{}, {"search": {"b"}}, {"search": {"b"}, "searchMode": {"people"}}, {"tags": {tagA.Hex()}}, {"lastReviewed": {"2030-03-01T10:00:00Z"}}} {
			filter["sortType"] = []string{"cgm"}
			if sort != "" {
				filter["sort"] = []string{sort}
			}
			want, count := s.list(t, filter, everyone)
			for _, lists := range []*roster.Service{s.lists, without} {
				got, counts, err := walk(t, func() *roster.Service { return lists }, s.clinicID, filter, 5, func() {})
				require.NoError(t, err, "%v", filter)
				require.Equal(t, want, append([]string{}, got...), "%v", filter)
				for _, n := range counts {
					require.Equal(t, count, n, "the count is that of all pages")
				}
			}
		}
	}
}

// Who stays as they are stands on exactly one page, and these come in order, although others come, go, change and take other names
// between the pages, and although each page may come from another replica.
func TestWhoStaysStandsOnOnePage(t *testing.T) {
	t.Parallel()
	s := newPagesStage(t, rand.Uint64())
	slow := roster.NewService(s.store)
	slow.LimitTables(0)
	s.replicas = append(s.replicas, slow)
	stayed, ended := 0, 0
	for round := 0; round < 25 || stayed <= 100 && round < 100; round++ { // some lists that chance makes have few patients, or none
		page := s.anyPage(s.random)
		before := s.documents(t)
		got, _, err := walk(t, func() *roster.Service { return choose(s.random, s.replicas...) }, s.clinicID, page.parameters, choose(s.random, 1, 3, 7), func() {
			if s.write(t, s.random) == nil {
				s.recount(t)
			}
		})
		if err != nil {
			require.Equal(t, errs.Reason("cursor_gone"), errs.ReasonOf(err), "%v", err)
			ended++
			continue
		}
		after := s.documents(t)
		page.page = everyone
		want := slices.DeleteFunc(s.read(t).list(t, page).users, func(id string) bool { return string(before[id]) != string(after[id]) })
		staying := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !slices.Contains(want, id) })
		require.Equal(t, append([]string{}, want...), append([]string{}, staying...), "%+v", page.parameters)
		stayed += len(want)
	}
	t.Logf("%d stayed, %d lists had to be begun anew", stayed, ended)
	require.Greater(t, stayed, 100)
	require.Less(t, ended, 6)
}

func (s *pagesStage) documents(t *testing.T) map[string]bson.Raw {
	t.Helper()
	cursor, err := s.records().Find(t.Context(), bson.D{{Key: "clinicId", Value: s.clinicID}})
	require.NoError(t, err)
	found := map[string]bson.Raw{}
	for cursor.Next(t.Context()) {
		record := slices.Clone(cursor.Current)
		found[record.Lookup("userId").StringValue()] = record
	}
	require.NoError(t, cursor.Err())
	return found
}

// A place whose patient is gone, or has another name, is still a place; one that is bound to the patient is not.
func TestAPlaceOutlivesItsPatient(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*stage, bson.ObjectID) error{
		"gone": func(s *stage, id bson.ObjectID) error {
			_, err := s.store.Collection(patients.CollectionName).DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}})
			return err
		},
		"renamed": func(s *stage, id bson.ObjectID) error {
			_, err := s.store.Collection(patients.CollectionName).UpdateByID(t.Context(), id, bson.D{{Key: "$set", Value: bson.D{
				{Key: "fullName", Value: "zzzz"}, {Key: "updatedTime", Value: store.Now()},
			}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.lists.KeepTotals(0)
			query, err := roster.ParseQuery(nil, store.Page{Limit: 9})
			require.NoError(t, err)
			first, err := s.lists.List(t.Context(), s.clinicID, query.Behind(nil))
			require.NoError(t, err)
			want, _ := s.list(t, nil, everyone)
			var last roster.Row
			for last, err = range first.Rows {
				require.NoError(t, err)
			}
			require.NoError(t, change(s, last.Patient.ID))
			second, err := s.lists.List(t.Context(), s.clinicID, query.Behind(last.Place))
			require.NoError(t, err)
			var got []string
			for row, err := range second.Rows {
				require.NoError(t, err)
				got = append(got, row.Patient.UserID)
			}
			require.Equal(t, want[9:18], got)

			last.Place.Bound = true
			_, err = s.lists.List(t.Context(), s.clinicID, query.Behind(last.Place))
			if name == "gone" {
				require.Equal(t, errs.Reason("cursor_gone"), errs.ReasonOf(err))
			} else {
				require.NoError(t, err, "the page begins where the patient is now")
			}
		})
	}
}

// A name too long to be kept in a place binds it to the patient.
func TestALongNameBindsAPlace(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	clinicID := bson.NewObjectID()
	long := "A" + strings.Repeat("x", 1500)
	for i, name := range []string{long, long + "y", "B"} {
		_, err := d.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
			"clinicId": clinicID, "userId": string(rune('a' + i)), "fullName": name, "updatedTime": store.Now(),
		})
		require.NoError(t, err)
	}
	lists := roster.NewService(d)
	got, _, err := walk(t, func() *roster.Service { return lists }, clinicID, nil, 1, func() {})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, got)
}
