package roster

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestLettersThatDifferByCaseFoldAlike(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r <= 0xDFFF {
			continue // no letters
		}
		if other := unicode.SimpleFold(r); other != r {
			require.Equal(t, fold(string(r)), fold(string(other)), "%U", r)
		}
	}
	for _, pair := range [][2]string{{"Ádam", "áDAM"}, {"\u212Aim", "KIM"}, {"ſam", "Sam"}, {"ΣΑΣ", "σας"}, {"plain", "PLAIN"}, {"\xff", "\xff"}} {
		require.Equal(t, fold(pair[0]), fold(pair[1]))
	}
	for _, pair := range [][2]string{{"á", "a"}, {"ß", "ss"}, {"İ", "i"}, {"ı", "i"}} {
		require.NotEqual(t, fold(pair[0]), fold(pair[1]))
	}
	require.True(t, strings.Contains(fold("Zoë van Dijk"), fold("OË V")))
}
