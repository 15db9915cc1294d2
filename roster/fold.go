package roster

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold returns a text in which letters that differ only by their case are the same, by Unicode's simple folding, as the
// regular expressions of the database compare them. A text contains another without regard to case if its folded form
// contains the other's.
func fold(text string) string {
	folded := true
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'a' <= c && c <= 'z' {
			folded = false
			break
		}
	}
	if folded {
		return text
	}
	var result strings.Builder
	result.Grow(len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 { // no letter; kept as it is
			result.WriteByte(text[i])
		} else {
			result.WriteRune(foldRune(r))
		}
		i += size
	}
	return result.String()
}

// foldRune returns the least of the letters that differ from this one only by case.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}
