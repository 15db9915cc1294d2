package clinics

import (
	"regexp"
	"strconv"
	"strings"
)

// The most tags and sites that a clinic may have. A merge may leave it with more sites.
const (
	MaxTags  = 50
	MaxSites = 50
)

// SameTagName reports whether two tags of a clinic may not both have these names: blanks and case make no difference.
func SameTagName(a, b string) bool { return TagNameKey(a) == TagNameKey(b) }

// TagNameKey returns what the names of equal tags have in common, for use as a key.
func TagNameKey(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// SameSiteName reports whether two sites of a clinic may not both have these names: case makes no difference.
func SameSiteName(a, b string) bool { return strings.EqualFold(a, b) }

// numbered matches a name that was made unique by a number.
var numbered = regexp.MustCompile(`^(.*) \((\d+)\)$`)

// FreeSiteName returns the name if it is not taken, and else the name with the lowest number behind it, counted up from
// its own number or from 2, that is not. COMPAT: the limit on the length of names does not hold for it.
func FreeSiteName(name string, taken func(name string) bool) string {
	for taken(name) {
		name = nextName(name)
	}
	return name
}

func nextName(name string) string {
	parts := numbered.FindStringSubmatch(name)
	if parts == nil {
		return name + " (2)"
	}
	number, err := strconv.Atoi(parts[2])
	if err != nil { // too many digits to count on
		return name + " (2)"
	}
	return parts[1] + " (" + strconv.Itoa(number+1) + ")"
}
