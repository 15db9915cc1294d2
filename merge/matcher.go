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

// matcher finds the patients of a clinic that are like a given one. Matches are found when they are asked for and not kept:
// in a clinic where thousands share a name, there would be millions.
type matcher struct {
	patients []Patient
	forms    []forms // of the patients
	byUser   map[string]int
	byName   map[string][]int
	byMRN    map[string][]int
}

// forms are name and record number in the form in which they are compared.
type forms struct{ name, mrn string }

func formsOf(patient *Patient) forms { return forms{normal(patient.FullName), normal(patient.MRN)} }

func newMatcher(list []Patient) *matcher {
	m := &matcher{patients: list, forms: make([]forms, len(list)), byUser: make(map[string]int, len(list)), byName: map[string][]int{}, byMRN: map[string][]int{}}
	for i := range list {
		if list[i].UserID != "" {
			m.byUser[list[i].UserID] = i
		}
		m.forms[i] = formsOf(&list[i])
		if name := m.forms[i].name; name != "" {
			m.byName[name] = append(m.byName[name], i)
		}
		if mrn := m.forms[i].mrn; mrn != "" {
			m.byMRN[mrn] = append(m.byMRN[mrn], i)
		}
	}
	return m
}

// normal returns a name or a record number in the form in which they are compared; "" equals nothing.
func normal(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// duplicate returns the index of the record of the same user, or -1.
func (m *matcher) duplicate(patient *Patient) int {
	if i, ok := m.byUser[patient.UserID]; ok && patient.UserID != "" {
		return i
	}
	return -1
}

// matches returns who is like the patient, in the order of the list that is searched. The patient is not like itself. An
// equal date of birth alone makes nobody alike, so candidates share more than that.
func (m *matcher) matches(patient *Patient) []Match {
	own := formsOf(patient)
	candidates := slices.Concat(m.byName[own.name], m.byMRN[own.mrn])
	if i := m.duplicate(patient); i >= 0 {
		candidates = append(candidates, i)
	}
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	found := make([]Match, 0, len(candidates))
	for _, i := range candidates {
		if other := &m.patients[i]; other.ID != patient.ID {
			found = append(found, Match{Category: category(patient, other, own, m.forms[i]), Index: i})
		}
	}
	return found
}

// category returns how alike two patients are of whom it is known that more than their date of birth is equal.
func category(a, b *Patient, own, others forms) Category {
	name := own.name != "" && own.name == others.name
	mrn := own.mrn != "" && own.mrn == others.mrn
	born := a.BirthDate != "" && a.BirthDate == b.BirthDate
	switch {
	case a.UserID != "" && a.UserID == b.UserID:
		return Duplicate
	case name && mrn, name && born, mrn && born:
		return LikelyDuplicate
	case mrn:
		return SameMRN
	default:
		return SameName
	}
}
