package browser_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience bounds everything that a test waits for in the browser. A start of Chromium on a busy machine takes seconds.
const patience = time.Minute

// sizes are those that pages are looked at in.
var sizes = map[string][2]int{"desktop": {1280, 900}, "phone": {390, 844}}

// tab is a tab of a browser of its own, which remembers whom it talked to and what it complained about.
type tab struct {
	context.Context

	mu         sync.Mutex
	hosts      map[string]bool
	complaints []string
}

// newTab starts a browser, or skips the test if there is none.
func newTab(t *testing.T, width, height int) *tab {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("SKIPPED: Chromium is not installed (Debian: apt-get install chromium), so the pages are not tested")
	}
	allocator, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
	)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &tab{Context: ctx, hosts: map[string]bool{}}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	b.run(t, chromedp.EmulateViewport(int64(width), int64(height)))
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if address, err := url.Parse(event.Request.URL); err == nil && address.Host != "" {
			b.hosts[address.Host] = true
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			b.complaints = append(b.complaints, event.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, event.ExceptionDetails.Text)
	}
}

// run does something in the tab.
func (b *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b, actions...))
}

// evaluate returns the value of an expression in the page.
func evaluate[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	require.NoError(t, err)
	return value
}

// until waits for an expression in the page to be true. It asks from outside, because the page may not run scripts of
// others.
func (b *tab) until(t *testing.T, expression string) {
	t.Helper()
	require.Eventually(t, func() bool { return evaluate[bool](t, b, "!!("+expression+")") }, patience, 50*time.Millisecond, expression)
}

// picture returns what is to be seen, and keeps it under the name among the artifacts of the test.
func (b *tab) picture(t *testing.T, name string) image.Image {
	t.Helper()
	content, err := chromedp.Run(b, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), content, 0o600))
	picture, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	return picture
}

// requireQuiet asserts that the page talked to no other host and broke none of its rules.
func (b *tab) requireQuiet(t *testing.T, host string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(t, map[string]bool{host: true}, b.hosts)
	require.Empty(t, b.complaints)
}

// count returns how many dots of a picture have a colour.
func count(picture image.Image, has func(red, green, blue int) bool) int {
	dots := 0
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); has(int(r>>8), int(g>>8), int(b>>8)) {
				dots++
			}
		}
	}
	return dots
}

// The colours of the sample reports, which the page itself does not use: its own dark is a purple.
func pale(red, green, blue int) bool { return green-red > 15 && green-blue > 15 }
func blue(red, _, blue int) bool     { return blue-red > 100 }
func dark(red, green, blue int) bool {
	return max(red, green, blue) < 120 && max(red, green, blue)-min(red, green, blue) < 10
}
