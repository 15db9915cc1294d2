package roster

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// written is a text as people compare it: its letters and digits without case, accents, spaces and signs, and where in them words
// begin. So O'Brien, O’Brien, OBRIEN and o brien have the same letters.
type written struct {
	letters []byte
	starts  []int // of all words
	cuts    []int // of those that a space or a sign, or nothing, comes before
}

// read reads a folded text. The memory is used again.
func (w *written) read(text string) {
	w.letters, w.starts, w.cuts = w.letters[:0], w.starts[:0], w.cuts[:0]
	before := rune(0) // the last letter, 0 after anything else
	for _, r := range unmarked(text) {
		if !isLetter(r) {
			before = 0
			continue
		}
		if before == 0 {
			w.cuts = append(w.cuts, len(w.letters))
		}
		if before == 0 || isWordByItself(r) || unicode.IsDigit(r) != unicode.IsDigit(before) {
			w.starts = append(w.starts, len(w.letters))
		}
		w.letters = utf8.AppendRune(w.letters, r)
		before = r
	}
}

// has reports whether a word begins with these letters, which may go on into the next words.
func (w *written) has(letters string) bool {
	for _, start := range w.starts {
		if rest := w.letters[start:]; len(rest) >= len(letters) && string(rest[:len(letters)]) == letters {
			return true
		}
	}
	return false
}

// hasAnywhere reports whether the letters stand anywhere.
func (w *written) hasAnywhere(letters string) bool { return bytes.Contains(w.letters, []byte(letters)) }

// begins reports whether the text begins with these letters.
func (w *written) begins(letters string) bool { return bytes.HasPrefix(w.letters, []byte(letters)) }

// parts returns what signs and spaces divide.
func (w *written) parts() []string {
	parts := make([]string, len(w.cuts))
	for i, start := range w.cuts {
		end := len(w.letters)
		if i+1 < len(w.cuts) {
			end = w.cuts[i+1]
		}
		parts[i] = string(w.letters[start:end])
	}
	return parts
}

// digits returns the digits.
func (w *written) digits() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, string(w.letters))
}

// unmarked returns a folded text in compatible letters without accents, whether these were written with the letter or behind it.
func unmarked(text string) string {
	ascii := true
	for i := range len(text) {
		ascii = ascii && text[i] < utf8.RuneSelf
	}
	if ascii {
		return text
	}
	var result strings.Builder
	for _, r := range norm.NFKD.String(text) {
		if isMark(r) && r != foldedIota {
			continue
		}
		r = foldRune(r)
		if plain, ok := plainLetters[r]; ok {
			result.WriteString(plain)
		} else {
			result.WriteRune(r)
		}
	}
	return result.String()
}

// foldedIota is what all iotas fold to: the mark of one below another letter.
const foldedIota = '\u0345'

// plainLetters are letters that people without them write in another way, though Unicode does not take them apart.
var plainLetters = map[rune]string{
	'Æ': "AE", 'Ð': "D", 'Đ': "D", 'Ħ': "H", 'ı': "I", 'Ł': "L", 'Ŋ': "N", 'Ø': "O", 'Œ': "OE", 'ß': "SS", 'Þ': "TH", 'Ŧ': "T",
	foldedIota: "Ι",
}

// isMark reports whether a rune only marks a letter, or cannot be seen. What stands for a vowel, or makes another letter of a
// Japanese one, is no such mark.
func isMark(r rune) bool {
	const voiced, halfVoiced = '\u3099', '\u309A'
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) && r != voiced && r != halfVoiced &&
		unicode.In(r, unicode.Inherited, unicode.Hebrew, unicode.Arabic)
}

// isLetter reports whether a rune is a part of a word. Some apostrophes are letters by their class.
func isLetter(r rune) bool {
	const firstApostrophe, lastApostrophe, doubleApostrophe = '\u02B9', '\u02C1', '\u02EE'
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && (r < firstApostrophe || r > lastApostrophe) && r != doubleApostrophe
}

// isWordByItself tells the letters of scripts that put no spaces between words.
func isWordByItself(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}
