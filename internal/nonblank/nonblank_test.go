package nonblank_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/nonblank"
)

var blanks = []string{"", " ", "\t\n", "\u00a0", "\u200b", "\ufeff", "\u2060 ", "\x00"}

func TestBlankTextsSayNothing(t *testing.T) {
	t.Parallel()
	for _, blank := range blanks {
		require.False(t, nonblank.Is(blank), "%q", blank)
	}
	for _, text := range []string{"0", " a ", "-", "é", "李", "\u200bx", "🙂"} {
		require.True(t, nonblank.Is(text), "%q", text)
	}
}

func TestBlankTextsHideNothing(t *testing.T) {
	t.Parallel()
	require.Empty(t, nonblank.First())
	require.Empty(t, nonblank.First(blanks...))
	require.Equal(t, " a ", nonblank.First(append(blanks, " a ", "b")...), "as it was sent")

	given := []string{"", " a ", "\u200b", "b"}
	require.Equal(t, []string{" a ", "b"}, nonblank.Only(given))
	require.Equal(t, []string{"", " a ", "\u200b", "b"}, given)
	require.Empty(t, nonblank.Only(nil))
}
