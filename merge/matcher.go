package merge

import (
	"slices"
	"strings"
)

// Category says how alike two patients are. COMPAT: the values are shown, and stored with plans.
type Category string

// The categories, from the surest to the least sure. Only the first decides what is done.
const (
	Duplicate       Category = "Duplicate Accounts" // the same user
	LikelyDuplicate Category = "Likely Duplicate Accounts"
	SameName        Category = "Name Only Match"
	SameMRN         Category = "MRN Only Match"
)

// categories are all of them, in the order in which the report shows them.
var categories = []Category{Duplicate, LikelyDuplicate, SameName, SameMRN}

// Match is a patient who is like another one.
type Match struct {
	Category Category
	Index    int // in the list of patients that was searched
}

// The bounds of what is shown of the patients who are like one. In a clinic of thousands who share a name there are millions
// of pairs, so that whatever lists them all grows with the square.
const (
	// maxMatches is how many of a category are shown. How many there are is counted without listing them.
	maxMatches = 100
	// maxScanned is how many patients of the same name, or of the same record number, are looked at to find those who have
	// nothing else in common.
	maxScanned = 1000
)

// matcher finds the patients of a clinic that are like a given one.
type matcher struct {
	patients []Patient
	traits   []traits // of the patients
	byUser   map[string]int
	byTraits map[traits][]int // by each trait and by each combination, but not by the date of birth alone
}

// traits are what patients are compared by, in the form in which it is compared. "" equals nothing.
type traits struct{ name, mrn, born string }

func traitsOf(patient *Patient) traits {
	return traits{normal(patient.FullName), normal(patient.MRN), patient.BirthDate}
}

// normal returns a name or a record number in the form in which they are compared.
func normal(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// The combinations of traits. They report false if one of them is not known.
func (t traits) nameOnly() (traits, bool) { return traits{name: t.name}, t.name != "" }
func (t traits) mrnOnly() (traits, bool)  { return traits{mrn: t.mrn}, t.mrn != "" }
func (t traits) nameAndMRN() (traits, bool) {
	return traits{name: t.name, mrn: t.mrn}, t.name != "" && t.mrn != ""
}

func (t traits) nameAndBirth() (traits, bool) {
	return traits{name: t.name, born: t.born}, t.name != "" && t.born != ""
}

func (t traits) mrnAndBirth() (traits, bool) {
	return traits{mrn: t.mrn, born: t.born}, t.mrn != "" && t.born != ""
}
func (t traits) all() (traits, bool) { return t, t.name != "" && t.mrn != "" && t.born != "" }

var combinations = []func(traits) (traits, bool){
	traits.nameOnly, traits.mrnOnly, traits.nameAndMRN, traits.nameAndBirth, traits.mrnAndBirth, traits.all,
}

func newMatcher(list []Patient) *matcher {
	m := &matcher{patients: list, traits: make([]traits, len(list)), byUser: make(map[string]int, len(list)), byTraits: map[traits][]int{}}
	for i := range list {
		m.byUser[userOf(&list[i])] = i
		m.traits[i] = traitsOf(&list[i])
		for _, combination := range combinations {
			if key, ok := combination(m.traits[i]); ok {
				m.byTraits[key] = append(m.byTraits[key], i)
			}
		}
	}
	return m
}

// sharing returns the indexes of the patients who share the combination of traits, in order.
func (m *matcher) sharing(t traits, combination func(traits) (traits, bool)) []int {
	key, ok := combination(t)
	if !ok {
		return nil
	}
	return m.byTraits[key]
}

// duplicate returns the index of the record of the same user, which may be the patient's own, or -1.
func (m *matcher) duplicate(patient *Patient) int {
	if i, ok := m.byUser[userOf(patient)]; ok {
		return i
	}
	return -1
}

// userOf returns the user id. A record without one is a user of its own.
func userOf(patient *Patient) string {
	if patient.UserID != "" {
		return patient.UserID
	}
	return patient.ID.Hex()
}

// counts returns how many patients of the list are like the patient, by category. The patient is not like itself.
func (m *matcher) counts(patient *Patient) map[Category]int {
	own := traitsOf(patient)
	size := func(combination func(traits) (traits, bool)) int { return len(m.sharing(own, combination)) }
	names, mrns := size(traits.nameAndMRN)+size(traits.nameAndBirth), size(traits.nameAndMRN)+size(traits.mrnAndBirth)
	all := size(traits.all) // is in each of the combinations of two, and so counted three times
	counts := map[Category]int{
		LikelyDuplicate: names + size(traits.mrnAndBirth) - 2*all,
		SameName:        size(traits.nameOnly) - names + all,
		SameMRN:         size(traits.mrnOnly) - mrns + all,
	}
	if i := m.duplicate(patient); i >= 0 {
		counts[alike(own, m.traits[i])]--
		if m.patients[i].ID != patient.ID {
			counts[Duplicate] = 1
		}
	}
	for category, n := range counts {
		if n <= 0 || category == "" {
			delete(counts, category)
		}
	}
	return counts
}

// matches returns who is like the patient, at most maxMatches of each category, in the order of the list.
func (m *matcher) matches(patient *Patient) []Match {
	own := traitsOf(patient)
	same := m.duplicate(patient)
	var found []Match
	if same >= 0 && m.patients[same].ID != patient.ID {
		found = append(found, Match{Category: Duplicate, Index: same})
	}
	var likely []int
	for _, combination := range []func(traits) (traits, bool){traits.nameAndMRN, traits.nameAndBirth, traits.mrnAndBirth} {
		likely = append(likely, first(m.sharing(own, combination), maxMatches+1)...) // one of them may be the same user
	}
	slices.Sort(likely)
	for category, candidates := range map[Category][]int{
		LikelyDuplicate: slices.Compact(likely),
		SameName:        first(m.sharing(own, traits.nameOnly), maxScanned),
		SameMRN:         first(m.sharing(own, traits.mrnOnly), maxScanned),
	} {
		n := 0
		for _, i := range candidates {
			if n < maxMatches && i != same && m.patients[i].ID != patient.ID && alike(own, m.traits[i]) == category {
				found = append(found, Match{Category: category, Index: i})
				n++
			}
		}
	}
	slices.SortFunc(found, func(a, b Match) int { return a.Index - b.Index })
	return found
}

func first(indexes []int, most int) []int { return indexes[:min(len(indexes), most)] }

// alike returns how alike two patients are who are not the same user. It returns "" if they are not.
func alike(a, b traits) Category {
	name := a.name != "" && a.name == b.name
	mrn := a.mrn != "" && a.mrn == b.mrn
	born := a.born != "" && a.born == b.born
	switch {
	case name && mrn, name && born, mrn && born:
		return LikelyDuplicate
	case mrn:
		return SameMRN
	case name:
		return SameName
	default:
		return ""
	}
}
