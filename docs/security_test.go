package docs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryPromiseOfSecurityNamesItsProof: a promise without a test, or the command that checks it, is a hope.
func TestEveryPromiseOfSecurityNamesItsProof(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../SECURITY.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "\n- **")
	require.True(t, found)
	promises := strings.Split(list, "\n- **")
	require.Greater(t, len(promises), 10)
	for _, promise := range promises {
		require.True(t, testName.MatchString(promise) || strings.Contains(promise, "`go tool "), promise)
	}
}
