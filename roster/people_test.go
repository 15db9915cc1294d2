package roster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// peopleTexts find some of the people of the tests.
var peopleTexts = []string{
	"smith jo", "Joanna", "jo", "o'brien", "O’BRIEN", "obrien", "smithjones", "jones-smith", "adam", "ÁDAM", "a\u0301dam", "zoë", "zoe", "lodz", "Łódź", "ore",
	"strasse", "straße", "iz", "σας", "m1", "M.1", "1", "k 2", "p1.x", "p1@", "x+y@exa", "example", "2001", "200102", "1999-12-31", "elan 1", "2", "sam", "-", "kim",
}

// peopleWords are the words of a text as people compare them: one list for each part between spaces.
func peopleWords(text string) [][]string {
	folded, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold()), text)
	if err != nil {
		panic(err)
	}
	folded = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ı", "i").Replace(folded)
	var words [][]string
	for _, part := range strings.Fields(folded) {
		inPart := strings.FieldsFunc(part, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if len(inPart) > 0 {
			words = append(words, inPart)
		}
	}
	return words
}

// byDigits divides words where digits begin or end.
func byDigits(words [][]string) []string {
	var divided []string
	for _, word := range slices.Concat(words...) {
		from := 0
		for i, r := range word {
			if before := strings.ToValidUTF8(word[:i], ""); i > 0 && unicode.IsDigit(r) != unicode.IsDigit([]rune(before)[len([]rune(before))-1]) {
				divided, from = append(divided, word[from:i]), i
			}
		}
		divided = append(divided, word[from:])
	}
	return divided
}

func begins(words []string, with string) bool {
	for i := range words {
		if strings.HasPrefix(strings.Join(words[i:], ""), with) {
			return true
		}
	}
	return false
}

// findsPerson reads what a search for persons says of a record, and whether it is the number exactly.
func findsPerson(record bson.M, search string) (found, exact bool) {
	text := func(field string) string { value, _ := record[field].(string); return value }
	letters := func(value string) string { return strings.Join(slices.Concat(peopleWords(value)...), "") }
	digits := func(value string) string {
		return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsDigit(r) }), "")
	}
	names, numbers, mrn := byDigits(peopleWords(text("fullName"))), byDigits(peopleWords(text("mrn"))), letters(text("mrn"))
	local, _, _ := strings.Cut(text("email"), "@")
	terms := peopleWords(search)
	isMRN := func(term string) bool { return term != "" && (term == mrn || term == digits(mrn)) }
	if len(terms) == 0 {
		return false, false
	}
	exact, found = isMRN(letters(search)), true
	position := 0
	for _, field := range strings.Fields(search) {
		if len(peopleWords(field)) == 0 {
			continue
		}
		parts := terms[position]
		position++
		term := strings.Join(parts, "")
		exact = exact || isMRN(term)
		isNumber := term == digits(term) && len(term) >= 4
		inParts := len(parts) > 1 && !slices.ContainsFunc(parts, func(part string) bool { return !begins(names, part) })
		found = found && (begins(names, term) || begins(numbers, term) || begins(byDigits(peopleWords(local)), term) || inParts ||
			isNumber && (strings.Contains(mrn, term) || strings.HasPrefix(letters(text("birthDate")), term)) ||
			strings.Contains(field, "@") && begins(byDigits(peopleWords(text("email"))), term))
	}
	found = found || begins(names, letters(search)) || isMRN(letters(search))
	return found, found && exact
}

// keepPeople leaves whom the search for persons of a page finds, and returns whom it finds exactly.
func (s *storedPatients) keepPeople(page anyPage, matching map[string]bool) map[string]int {
	exacts := map[string]int{}
	for _, record := range s.stage.records {
		if id := record["userId"].(string); page.person != "" {
			found, exact := findsPerson(record, page.person)
			if !found {
				delete(matching, id)
			}
			if exact {
				exacts[id] = 1
			}
		}
	}
	return exacts
}

// TestPeopleAreFound by what somebody who looks for them may write. Where a table answers, and where none can.
func TestPeopleAreFound(t *testing.T) {
	t.Parallel()
	persons := []struct{ name, email, mrn, birthDate string }{
		{"Jo Smith", "jo@example.com", "123", "2001-02-03"}, {"Joanna Smith-Jones", "", "A-1234", ""}, {"Mary O’Brien", "", "0123", ""},
		{"Mary OBrien", "mary.ob@example.com", "", "1999-12-31"}, {"Zoe\u0308 D'Angelo", "", "", ""}, {"ZOË ŁUKASZ", "", "", ""}, {"Jan van den Berg", "", "", ""},
		{"Øyvind Strauß", "", "RDC10037", ""}, {"田中太郎", "", "", ""}, {"ΝΊΚΟΣ", "", "", ""}, {"Vandenberg, Ann", "jo.hannah+x@mail.example", "12 34", ""}, {"İpek Işık", "", "", ""},
	}
	s := newStage(t)
	var documents []any
	for i, p := range persons {
		documents = append(documents, bson.M{"_id": bson.NewObjectID(), "clinicId": s.clinicID, "userId": fmt.Sprint(i), "fullName": p.name, "email": p.email, "mrn": p.mrn, "birthDate": p.birthDate})
	}
	collection := s.store.Collection(patients.CollectionName)
	_, err := collection.DeleteMany(t.Context(), bson.M{"clinicId": s.clinicID})
	require.NoError(t, err)
	_, err = collection.InsertMany(t.Context(), documents)
	require.NoError(t, err)
	s.records = make([]bson.M, len(persons))
	for search, want := range map[string][]string{
		"smith jo": {"0", "1"}, "SMITH, Jo": {"0", "1"}, "jones smith": {"1"}, "smith-jones": {"1"}, "smithjones": {"1"}, "jones-smith": {"1"}, "mith": {},
		"o'brien": {"2", "3"}, "O’Brien": {"2", "3"}, "obrien mary": {"2", "3"}, "o brien": {"2", "3"}, "brien": {"2"}, "zoe": {"4", "5"}, "Zoë": {"4", "5"}, "zoe\u0308": {"4", "5"},
		"dangelo": {"4"}, "angelo zo": {"4"}, "lukasz": {"5"}, "ŁUKASZ zoë": {"5"}, "vandenberg": {"6", "10"}, "van den berg": {"6", "10"}, "berg": {"6"},
		"oyvind strauss": {"7"}, "ØYVIND STRAUSS": {"7"}, "太郎": {"8"}, "νικος": {"9"}, "νίκοσ": {"9"}, "ipek isik": {"11"}, "İPEK IŞIK": {"11"},
		"123": {"0", "1", "10"}, "0123": {"2"}, "1234": {"1", "10"}, "a1234": {"1"}, "smith 123": {"0", "1"}, "10037": {"7"}, "0037": {"7"}, "037": {},
		"2001-02-03": {"0"}, "smith 2001": {"0"}, "1999": {"3"}, "mary 1999-12": {"3"}, "02": {}, "jo@example": {"0"}, "example": {}, "com": {}, "@example.com": {"0", "3"}, "hannah": {"10"}, "jo hannah": {"10"},
		"'": {}, "- ’": {}, "nobody": {}, "smith nobody": {},
	} {
		for _, limit := range []int{96 << 20, 1} {
			s.lists.LimitTables(limit)
			s.lists.ForgetTables()
			parameters := map[string][]string{"search": {search}, "searchMode": {"people"}}
			got, count := s.list(t, parameters, everyone)
			require.ElementsMatch(t, want, got, "%q, limit %d", search, limit)
			require.Len(t, want, count, search)
			if search == "123" {
				require.Equal(t, "0", got[0], "the number exactly comes first")
			}
		}
	}
}

// TestSearchesForPeopleAreBounded: each word is looked for in each patient of the clinic.
func TestSearchesForPeopleAreBounded(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{strings.Repeat("a ", 16): true, strings.Repeat("a ", 17): false, strings.Repeat("- ", 100): true, "a\x00": false} {
		_, err := roster.ParseQuery(map[string][]string{"search": {text}, "searchMode": {"people"}}, everyone)
		require.Equal(t, ok, err == nil, text)
		require.True(t, ok || errs.Is(err, errs.BadRequest))
	}
	_, err := roster.ParseQuery(map[string][]string{"search": {"a"}, "searchMode": {"person"}}, everyone)
	require.True(t, errs.Is(err, errs.BadRequest))
}
