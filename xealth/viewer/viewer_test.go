package viewer

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPinnedFilesAreUnchanged holds the copy of pdf.js against the sums that scripts/viewer fetched it by.
func TestPinnedFilesAreUnchanged(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../../scripts/viewer.sha256")
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	pinned := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		asset := Find(name)
		require.NotNil(t, asset, name)
		actual := sha256.Sum256(asset.Content)
		require.Equal(t, sum, hex.EncodeToString(actual[:]), name)
		pinned[name] = true
	}
	for name := range assets {
		if strings.HasPrefix(name, "build/") || strings.Contains(name, "_fonts/") {
			require.True(t, pinned[name], "%s is not pinned", name)
		}
	}
	require.True(t, pinned["build/pdf.worker.mjs"])
}

// TestFilesAskNoOtherHost looks at what this project wrote; the browser test holds the rest.
func TestFilesAskNoOtherHost(t *testing.T) {
	t.Parallel()
	address := regexp.MustCompile(`https?://[^\s"'<]+`)
	checked := 0
	for name := range assets {
		if strings.HasPrefix(name, "web/") && !strings.Contains(name, "_fonts/") {
			for _, found := range address.FindAllString(string(Find(name).Content), -1) {
				require.Equal(t, "http://www.w3.org/2000/svg", found, name)
			}
			checked++
		}
	}
	require.GreaterOrEqual(t, checked, 5)
}

func TestAddressCannotLeaveTheScript(t *testing.T) {
	t.Parallel()
	page, err := Report(`https://a.example/b?c=%2F&d=e+f"</script><script>alert(1)//` + "\u2028'`\\")
	require.NoError(t, err)
	html := string(page.HTML)
	require.Contains(t, html, `window.PDF_URL = "https:\/\/a.example\/b?c=%2F\u0026d=e\u002bf\u0022\u003c\/script\u003e`)
	require.NotContains(t, html, "alert(1)/")
	require.Equal(t, 2, strings.Count(html, "</script>"))
}
