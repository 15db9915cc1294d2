package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func encode(t *testing.T, value any) []byte {
	t.Helper()
	content, err := json.Marshal(value)
	require.NoError(t, err)
	return content
}

// drawn is true once the first page is to be seen.
const drawn = `!!document.querySelector('.sheet[data-page="1"][data-drawn] canvas') && document.getElementById('loading').hidden`

func serve(s stage, pdf string) {
	s.Standin.Fail("GET /export/report/", standin.Fault{Status: http.StatusOK, Body: pdf, ContentType: "application/pdf"})
}

// TestReportIsDrawn looks at the dots of the page: the curve and the green band of the sample report.
func TestReportIsDrawn(t *testing.T) {
	t.Parallel()
	for name, size := range map[string][2]int{"desktop": {1280, 900}, "phone": {390, 844}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, size[0], size[1])
			s := newStage(t)
			b.run(t, chromedp.Navigate(s.link(t)))
			b.until(t, drawn)
			picture := b.picture(t, name)
			require.Greater(t, count(picture, pale), 3000, "the band")
			require.Greater(t, count(picture, blue), 100, "the curve")
			require.Greater(t, count(picture, dark), 100, "the text")
			require.Equal(t, "1", evaluate[string](t, b, `document.getElementById('count').textContent`))
			require.Contains(t, evaluate[string](t, b, `document.querySelector('.text').textContent`), "Name: Marta Quist", "text can be selected")
			require.LessOrEqual(t, evaluate[int](t, b, `document.documentElement.scrollWidth`), size[0], "nothing sticks out")
			require.Equal(t, 1, s.Standin.Count("GET /export/report/"), "the report is made once")
			b.requireQuiet(t, s.host)
		})
	}
}

// TestReportInsideOfAHealthRecord embeds the page in one of another origin.
func TestReportInsideOfAHealthRecord(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1000, 800)
	s := newStage(t)
	chart := `<h1>Chart</h1><iframe src="` + s.link(t) + `" width="960" height="650"></iframe>`
	record := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(chart))
	}))
	t.Cleanup(record.Close)
	b.run(t, chromedp.Navigate(record.URL))
	require.Eventually(t, func() bool { return count(b.picture(t, "embedded"), dark) > 500 }, patience, 200*time.Millisecond)
}

func TestReportToolbar(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	serve(s, longReport(30))
	b.run(t, chromedp.Navigate(s.link(t)))
	b.until(t, drawn)
	current := func() string { return evaluate[string](t, b, `document.getElementById('page').value`) }
	require.Equal(t, []any{"1", "30"}, []any{current(), evaluate[string](t, b, `document.getElementById('count').textContent`)})
	require.LessOrEqual(t, evaluate[int](t, b, `document.querySelectorAll('canvas').length`), 6, "only what is near is drawn")

	b.run(t, chromedp.Click("#next"))
	require.Equal(t, "2", current())
	b.run(t, chromedp.Click("#last"))
	b.until(t, `document.getElementById('page').value === '30' && !!document.querySelector('.sheet[data-page="30"][data-drawn]')`)
	b.until(t, `!document.querySelector('.sheet[data-page="1"] canvas')`)
	b.run(t, chromedp.Click("#previous"))
	require.Equal(t, "29", current())
	b.run(t, chromedp.SetValue("#page", "7"), chromedp.Evaluate[chromedp.Void](`document.getElementById('page').onchange()`))
	b.until(t, `!!document.querySelector('.sheet[data-page="7"][data-drawn]')`)
	require.Equal(t, "7", current())
	require.Greater(t, count(b.picture(t, "page 7"), blue), 20000)

	width := func() int { return evaluate[int](t, b, `document.querySelector('.sheet').offsetWidth`) }
	before := width()
	b.run(t, chromedp.Click("#zoom-in"))
	require.Greater(t, width(), before)
	require.Equal(t, "7", current(), "the page stays")
	b.run(t, chromedp.SetValue("#scale", "0.5"), chromedp.Evaluate[chromedp.Void](`document.getElementById('scale').onchange()`))
	require.Equal(t, 408, width())
	b.run(t, chromedp.SetValue("#scale", "page"), chromedp.Evaluate[chromedp.Void](`document.getElementById('scale').onchange()`))
	require.LessOrEqual(t, evaluate[int](t, b, `document.querySelector('.sheet').offsetHeight`), 900)

	b.run(t, chromedp.SendKeys("#query", "page 23\r"))
	b.until(t, `document.getElementById('matches').textContent === '1 of 1' && document.querySelector('mark.current')?.textContent === 'page 23'`)
	require.Equal(t, "23", current())
	b.picture(t, "found")
	b.requireQuiet(t, s.host)
}

func TestReportPrintAndDownload(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	pdf := longReport(2)
	serve(s, pdf)
	folder := t.TempDir()
	_, err := chromedp.CallBrowser(b, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
	})
	require.NoError(t, err)
	b.run(t, chromedp.Navigate(s.link(t)))
	b.until(t, drawn)
	b.run(t, chromedp.Evaluate[chromedp.Void](`window.print = () => {
		window.printed = [...document.querySelectorAll('#printout img')].map((image) => {
			const canvas = document.createElement('canvas');
			canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
			const context = canvas.getContext('2d');
			context.drawImage(image, 0, 0);
			return [...context.getImageData(canvas.width * 200 / 612, canvas.height * 292 / 792, 1, 1).data];
		});
	}`), chromedp.Click("#print"))
	b.until(t, `window.printed && !document.querySelector('#printout img')`)
	printed := evaluate[[][]float64](t, b, `window.printed`)
	require.Len(t, printed, 2)
	for _, colour := range printed {
		require.InDeltaSlice(t, []float64{51, 77, 204, 255}, colour, 3, "the block on each page")
	}

	b.run(t, chromedp.Click("#download"))
	file := filepath.Join(folder, "tidepool-report.pdf")
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(file)
		return err == nil && string(content) == pdf
	}, patience, 50*time.Millisecond)
	b.requireQuiet(t, s.host)
}

func TestReportProblems(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1000, 700)
	s := newStage(t)
	text := func() string {
		return evaluate[string](t, b, `document.querySelector('.card:not([hidden] *)').innerText`)
	}

	b.run(t, chromedp.Navigate(s.expiredLink(t)))
	require.Contains(t, text(), "This link has expired")
	b.picture(t, "expired link")

	for _, test := range []struct {
		name, message string
		fault         standin.Fault
	}{
		{"expired meanwhile", "This link has expired", standin.Fault{Status: http.StatusUnauthorized}},
		{"not available", "The report is not available", standin.Fault{Status: http.StatusNotFound}},
		{"damaged", "The report cannot be shown", standin.Fault{Status: http.StatusOK, Body: "no PDF", ContentType: "application/pdf"}},
		{"not to be had", "The report could not be loaded", standin.Fault{Status: http.StatusBadGateway}},
	} {
		s.Standin.Heal()
		s.Standin.Fail("GET /export/report/", test.fault)
		b.run(t, chromedp.Navigate(s.link(t)))
		b.until(t, `!document.getElementById('problem').hidden`)
		require.Contains(t, text(), test.message, test.name)
		require.False(t, evaluate[bool](t, b, `document.getElementById('loading').offsetParent !== null`), "no spinner")
		b.picture(t, test.name)
	}
	s.Standin.Heal()
	b.run(t, chromedp.Click("#retry"))
	b.until(t, drawn)
}
