package roster_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// everyLikeness is all that patients are compared by, from the surest to the least sure.
var everyLikeness = []roster.Likeness{roster.SameMRN, roster.SameNameAndBirth, roster.SameEmail, roster.SameName}

// keyOf is what a record is compared by, read anew; "" is like nothing.
func keyOf(record bson.M, by roster.Likeness) string {
	text := func(field string) string { value, _ := record[field].(string); return value }
	words := slices.Sorted(slices.Values(slices.Concat(peopleWords(text("fullName"))...)))
	name, born := strings.Join(words, " "), strings.TrimSpace(text("birthDate"))
	switch {
	case by == roster.SameMRN:
		return strings.Join(slices.Concat(peopleWords(text("mrn"))...), "")
	case by == roster.SameEmail:
		return strings.ToLower(strings.TrimSpace(text("email")))
	case by == roster.SameName:
		return name
	case name == "" || born == "":
		return ""
	default:
		return name + "/" + born
	}
}

// expectedGroup is a group as the test finds it: by comparing each record with each.
type expectedGroup struct {
	by      []string
	members []string // user ids, the oldest first
	oldest  bson.ObjectID
}

// alikeIn compares each record with each other one.
func alikeIn(records []bson.M, by []roster.Likeness) []string {
	records = slices.SortedFunc(slices.Values(records), func(a, b bson.M) int {
		x, y := a["_id"].(bson.ObjectID), b["_id"].(bson.ObjectID)
		return bytes.Compare(x[:], y[:])
	})
	groups := map[string]*expectedGroup{}
	for _, likeness := range everyLikeness {
		if !slices.Contains(by, likeness) {
			continue
		}
		seen := map[string]bool{}
		for _, one := range records {
			key := keyOf(one, likeness)
			if key == "" || seen[key] {
				continue
			}
			seen[key] = true
			g := &expectedGroup{oldest: one["_id"].(bson.ObjectID)}
			for _, other := range records {
				if keyOf(other, likeness) == key {
					g.members = append(g.members, other["userId"].(string))
				}
			}
			if len(g.members) < 2 {
				continue
			}
			if known, ok := groups[fmt.Sprint(g.members)]; ok {
				g = known
			}
			g.by = append(g.by, string(likeness))
			groups[fmt.Sprint(g.members)] = g
		}
	}
	place := func(g *expectedGroup) int { return slices.Index(everyLikeness, roster.Likeness(g.by[0])) }
	ordered := slices.SortedFunc(maps.Values(groups), func(a, b *expectedGroup) int {
		return cmp.Or(cmp.Compare(len(b.by), len(a.by)), cmp.Compare(place(a), place(b)), bytes.Compare(a.oldest[:], b.oldest[:]))
	})
	var lines []string
	for _, g := range ordered {
		lines = append(lines, fmt.Sprint(g.by, len(g.members), g.members[:min(len(g.members), roster.MaxAlike)]))
	}
	return lines
}

func groupLines(found *roster.Duplicates) []string {
	var lines []string
	for _, group := range found.Groups {
		var users []string
		for _, patient := range group.Patients {
			users = append(users, patient.UserID)
		}
		lines = append(lines, fmt.Sprint(group.By, group.Count, users))
	}
	return lines
}

// compareDuplicates compares the groups of a replica with those that a comparison of each record with each gives.
func (s *pagesStage) compareDuplicates(t *testing.T, replica *roster.Service, stored *storedPatients) string {
	t.Helper()
	by := choose(s.random, roster.UsualLikenesses(), everyLikeness, []roster.Likeness{roster.SameName}, []roster.Likeness{roster.SameEmail, roster.SameMRN})
	page := store.Page{Offset: choose(s.random, 0, 0, 3), Limit: choose(s.random, 1, 100)}
	want := alikeIn(stored.stage.records, by)
	got, err := replica.Duplicates(t.Context(), s.clinicID, by, page)
	require.NoError(t, err)
	shown := want[min(page.Offset, len(want)):min(page.Offset+page.Limit, len(want))]
	if got.Count != len(want) || fmt.Sprint(groupLines(got)) != fmt.Sprint(shown) {
		return fmt.Sprintf("%v %+v\n got %d %q\nwant %d %q", by, page, got.Count, groupLines(got), len(want), shown)
	}
	return ""
}

// TestPatientsWhoMayBeOnePerson are found by what they have in common, by the table of the clinic and without one.
func TestPatientsWhoMayBeOnePerson(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	clinicID := bson.NewObjectID()
	for i, p := range []struct{ name, birthDate, mrn, email any }{
		0: {"Jo Smith", "2001-02-03", "A-12", "jo@example.com"}, 1: {"SMITH, Jo", "2001-02-03", "a12", nil}, 2: {"Jo Smith", "1950-01-01", nil, nil},
		3: {"Zoë", "", nil, "z@example.com"}, 4: {"Zoe\u0308", "", "", "Z@Example.com "}, 5: {"", "2001-02-03", "", ""}, 6: {nil, "2001-02-03", nil, nil},
		7: {"Ann", "2000-01-01", "77", nil}, 8: {"Ann", "2000-01-01", "78", nil}, 9: {17, "2000-01-01", "- -", nil}, 10: {"Bob", "1980-01-01", "77", nil},
	} {
		_, err := d.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
			"_id": bson.ObjectID{11: byte(i)}, "clinicId": clinicID, "userId": fmt.Sprint(i), "fullName": p.name, "birthDate": p.birthDate, "mrn": p.mrn, "email": p.email,
		})
		require.NoError(t, err)
	}
	_, err := d.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{"clinicId": bson.NewObjectID(), "userId": "x", "fullName": "Jo Smith", "mrn": "A12"})
	require.NoError(t, err)
	usual := []string{"[mrn fullNameAndBirthDate] 2 [0 1]", "[mrn] 2 [7 10]", "[fullNameAndBirthDate] 2 [7 8]", "[email] 2 [3 4]"}
	for limit, loads := range map[int]int{96 << 20: 2, 1: 1} {
		lists := roster.NewService(d)
		lists.LimitTables(limit)
		found, err := lists.Duplicates(t.Context(), clinicID, roster.UsualLikenesses(), everyone)
		require.NoError(t, err)
		require.Equal(t, usual, groupLines(found))
		require.Equal(t, 4, found.Count)
		require.Equal(t, "SMITH, Jo", *found.Groups[0].Patients[1].FullName)
		found, err = lists.Duplicates(t.Context(), clinicID, []roster.Likeness{roster.SameName}, store.Page{Offset: 1, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []string{"[fullName] 2 [3 4]"}, groupLines(found))
		require.Equal(t, 3, found.Count)
		found, err = lists.Duplicates(t.Context(), bson.NewObjectID(), everyLikeness, everyone)
		require.NoError(t, err)
		require.Empty(t, found.Groups)
		require.EqualValues(t, loads, lists.TableTallies().Loads.Total(), "an empty table fits always")
	}
}

// TestThousandsOfOneNameAreOneGroup: neither the work nor the answer grows with the number of pairs, of which there are twelve million.
func TestThousandsOfOneNameAreOneGroup(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it takes a minute to store 5,000 patients at once")
	d := testkit.Database(t)
	clinicID := bson.NewObjectID()
	var documents []any
	for i := range 5000 {
		documents = append(documents, bson.M{"clinicId": clinicID, "userId": fmt.Sprint(i), "fullName": "Same Name", "birthDate": "2001-02-03", "mrn": fmt.Sprint(i), "updatedTime": store.Now()})
	}
	_, err := d.Collection(patients.CollectionName).InsertMany(t.Context(), documents)
	require.NoError(t, err)
	lists := roster.NewService(d)
	_, err = lists.Duplicates(t.Context(), clinicID, everyLikeness, everyone) // which reads the table
	require.NoError(t, err)
	start := time.Now()
	found, err := lists.Duplicates(t.Context(), clinicID, everyLikeness, everyone)
	require.NoError(t, err)
	require.Less(t, time.Since(start), 10*time.Second)
	require.Len(t, found.Groups, 1)
	require.Equal(t, 5000, found.Groups[0].Count)
	require.Len(t, found.Groups[0].Patients, roster.MaxAlike)
	require.Equal(t, []roster.Likeness{roster.SameNameAndBirth, roster.SameName}, found.Groups[0].By)
}
