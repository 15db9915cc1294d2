package roster

import (
	"slices"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// people is a search for persons, by what somebody writes who looks for one: words in any order, each the beginning of a name, of
// an address, of a number or of a birth date.
type people struct {
	terms   []term
	all     string // the letters of all terms
	numbers bool   // whether one of them is a number
}

// term is what stands between spaces.
type term struct {
	letters string
	parts   []string // what signs divide
	address bool     // whether it is a part of an address beyond its name
	number  bool     // whether it is digits only
}

const (
	// maxTerms bounds what is looked for in each patient of a clinic.
	maxTerms = 16
	// minInNumber is how many digits are looked for anywhere in a number, and from how many on it may be a birth date.
	minInNumber = 4
)

// parsePeople reads a search text; ok is false if it is too long. A text without a letter or digit finds nobody.
func parsePeople(text string) (p *people, ok bool) {
	p = &people{}
	var w written
	for field := range strings.FieldsSeq(unmarked(fold(text))) {
		w.read(field)
		if len(w.letters) == 0 {
			continue
		}
		letters := string(w.letters)
		number := !strings.ContainsFunc(letters, func(r rune) bool { return !unicode.IsDigit(r) })
		p.terms = append(p.terms, term{letters: letters, parts: w.parts(), address: strings.Contains(field, "@"), number: number})
		p.numbers = p.numbers || number
		p.all += letters
	}
	return p, len(p.terms) <= maxTerms
}

// identity is what a search looks at, folded.
type identity struct{ name, address, mrn, birthDate string }

// identityOf reads a stored record.
func identityOf(record bson.Raw) identity {
	var parts [len(searched)]string
	for i, path := range searched {
		parts[i] = fold(strings.Join(texts(record, path), "\x00"))
	}
	return identity{name: parts[0], address: parts[1], mrn: parts[2], birthDate: parts[3]}
}

// seeker compares patients with a search, one after the other, in the same memory.
type seeker struct {
	*people
	name, local, address, mrn, birthDate written
	digits                               string // of the number
}

// meets reports whether the search finds a patient, and whether by the medical record number exactly, who comes first.
func (s *seeker) meets(of identity) (found, exact bool) {
	if len(s.terms) == 0 {
		return false, false
	}
	s.mrn.read(of.mrn)
	s.digits = ""
	if s.numbers {
		s.digits = s.mrn.digits()
	}
	exact = s.isMRN(s.all) || slices.ContainsFunc(s.terms, func(t term) bool { return s.isMRN(t.letters) })
	s.name.read(of.name)
	if s.name.has(s.all) || s.isMRN(s.all) { // van den berg is Vandenberg, too
		return true, exact
	}
	local, _, _ := strings.Cut(of.address, "@")
	s.local.read(local)
	s.address.read(of.address)
	s.birthDate.read(of.birthDate)
	for i := range s.terms {
		if !s.has(&s.terms[i]) {
			return false, false
		}
	}
	return true, exact
}

// has reports whether the term stands in the patient that was read.
func (s *seeker) has(t *term) bool {
	if s.name.has(t.letters) || s.mrn.has(t.letters) || s.local.has(t.letters) {
		return true
	}
	if t.number && len(t.letters) >= minInNumber && (s.mrn.hasAnywhere(t.letters) || s.birthDate.begins(t.letters)) {
		return true
	}
	if t.address && s.address.has(t.letters) {
		return true
	}
	return len(t.parts) > 1 && !slices.ContainsFunc(t.parts, func(part string) bool { return !s.name.has(part) })
}

// isMRN reports whether the letters are the medical record number that was read, or digits and those of the number.
func (s *seeker) isMRN(letters string) bool {
	return string(s.mrn.letters) == letters || s.digits == letters
}
