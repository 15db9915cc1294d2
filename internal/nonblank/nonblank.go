// Package nonblank holds the one rule for texts that partners send empty: a blank text says nothing, so it never hides one
// that says something. Texts that are not blank stay as they were sent.
package nonblank

import (
	"slices"
	"unicode"
)

// Is reports whether the text says something. Spaces, control characters and characters without width say nothing.
func Is(text string) bool {
	for _, r := range text {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			return true
		}
	}
	return false
}

// First returns the first text that says something, or "".
func First(texts ...string) string {
	if i := slices.IndexFunc(texts, Is); i >= 0 {
		return texts[i]
	}
	return ""
}

// Only returns the texts that say something, in their order. The list that is given stays as it is.
func Only(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return !Is(text) })
}
