package clinicians

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// search is what a list of members is searched for: words of addresses, or a part of a name.
//
// The members of a clinic are few, so they are searched here rather than by the text index of the database, which differs
// from engine to engine and knows no names.
type search struct {
	phrases [][]string // what stands between blanks, each as the words that it consists of
	text    string     // in lower case
}

func newSearch(text string) search {
	s := search{text: strings.ToLower(strings.TrimSpace(text))}
	for field := range strings.FieldsSeq(s.text) {
		if phrase := words(field); len(phrase) > 0 {
			s.phrases = append(s.phrases, phrase)
		}
	}
	return s
}

// words returns the runs of letters and digits in a text, which is in lower case.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// score says how well a member fits: one for each phrase that the address contains as whole words, and as much as all
// phrases together if the name contains the whole text. At 0 the member does not fit.
func (s search) score(c *Clinician) int {
	score := 0
	if c.Email != nil {
		address := words(strings.ToLower(*c.Email))
		for _, phrase := range s.phrases {
			if containsPhrase(address, phrase) {
				score++
			}
		}
	}
	if c.Name != nil && s.text != "" && strings.Contains(strings.ToLower(*c.Name), s.text) {
		score += max(len(s.phrases), 1)
	}
	return score
}

func containsPhrase(text, phrase []string) bool {
	for start := range len(text) - len(phrase) + 1 {
		if slices.Equal(text[start:start+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

// apply returns those who fit, the best first, and the newest first among equals. It keeps the order of members who are
// equal in all of that.
func (s search) apply(members []*Clinician) []*Clinician {
	scores := make(map[*Clinician]int, len(members))
	var found []*Clinician
	for _, member := range members {
		if score := s.score(member); score > 0 {
			scores[member] = score
			found = append(found, member)
		}
	}
	slices.SortStableFunc(found, func(a, b *Clinician) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), b.CreatedTime.Compare(a.CreatedTime))
	})
	return found
}
