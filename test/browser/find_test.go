package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// find looks for a text as people do: on a phone they have to ask for the field first.
func (b *tab) find(t *testing.T, text string) {
	t.Helper()
	if evaluate[bool](t, b, `!document.getElementById('query').offsetParent`) {
		b.run(t, chromedp.Click("#find"))
		b.until(t, `document.activeElement.id === 'query'`)
	}
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.getElementById("query").value = document.getElementById("matches").textContent = ""`), chromedp.SendKeys("#query", text+"\r"))
	b.until(t, `/ of |Not found/.test(document.getElementById('matches').textContent)`)
}

func (b *tab) matches(t *testing.T) string {
	t.Helper()
	return evaluate[string](t, b, `document.getElementById('matches').textContent`)
}

// marked returns what is marked as the match that is shown, with a bar where one piece of text ends.
func (b *tab) marked(t *testing.T) string {
	t.Helper()
	return evaluate[string](t, b, `[...document.querySelectorAll('.text mark.current')].map((mark) => mark.textContent).join('|')`)
}

// brokenReport has words in pieces, as programs write them: letters moved together, ends of lines, accents.
func brokenReport() string {
	return report([]string{
		"BT /F1 24 Tf 72 700 Td [(Glu) -20 (co) 10 (se)] TJ 0 -40 Td (Time in) Tj 0 -40 Td (range, and glucose) Tj ET\n" +
			"BT /F1 24 Tf 72 500 Td (Gluc) Tj ET BT /F2 24 Tf 121.34 500 Td (ose again) Tj ET",
		"BT /F1 24 Tf 72 700 Td (Jos\\351 of GLUCOSE) Tj ET",
	})
}

func TestFindMarksTheMatch(t *testing.T) {
	t.Parallel()
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, size[0], size[1])
			s := newStage(t)
			serve(s, brokenReport())
			b.run(t, chromedp.Navigate(s.link(t)))
			b.until(t, drawn)

			b.find(t, "glucose")
			require.Equal(t, "1 of 4", b.matches(t))
			require.Equal(t, "glucose", strings.ToLower(strings.ReplaceAll(b.marked(t), "|", "")), "the word, and nothing beside it")
			b.run(t, chromedp.Click("#find-next"))
			b.until(t, `document.getElementById('matches').textContent === '2 of 4'`)
			require.Equal(t, "glucose", b.marked(t))
			b.run(t, chromedp.Click("#find-next"))
			b.until(t, `document.getElementById('matches').textContent === '3 of 4'`)
			require.Equal(t, "Gluc|ose", b.marked(t), "two pieces of text")
			picture := b.picture(t, "across pieces "+name)
			require.Greater(t, count(picture, func(red, green, blue int) bool { return red > 240 && green > 170 && green < 210 && blue < 140 }), 300, "the mark is seen")
			b.run(t, chromedp.Click("#find-previous"), chromedp.Click("#find-previous"), chromedp.Click("#find-previous"))
			b.until(t, `document.getElementById('matches').textContent === '4 of 4'`)
			require.Equal(t, "GLUCOSE", b.marked(t))
			require.Equal(t, "2", evaluate[string](t, b, `document.getElementById('page').value`))

			b.find(t, "time in  range")
			require.Equal(t, "1 of 1", b.matches(t))
			require.Equal(t, "Time in|range", b.marked(t), "over the end of a line")
			const scale = `document.querySelector('.sheet[data-page="1"]').dataset.drawn`
			before := evaluate[string](t, b, scale)
			b.run(t, chromedp.Click("#zoom-in"))
			b.until(t, scale+` !== '`+before+`' && document.querySelectorAll('.text mark.current').length === 2`)
			b.find(t, "jose")
			require.Equal(t, "José", b.marked(t))
			b.find(t, "insulin")
			require.Equal(t, "Not found", b.matches(t))
			require.Empty(t, b.marked(t))
			require.LessOrEqual(t, evaluate[int](t, b, `document.documentElement.scrollWidth`), size[0])
			b.run(t, chromedp.SendKeys("#query", "\x1b"))
			require.Empty(t, b.matches(t))
			b.requireQuiet(t, s.host)
		})
	}
}

func TestToolbarFitsEveryWidth(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 600)
	s := newStage(t)
	b.run(t, chromedp.Navigate(s.link(t)))
	b.until(t, drawn)
	for width := int64(320); width <= 1300; width += 20 {
		b.run(t, chromedp.EmulateViewport(width, 600))
		for range 2 { // with the field for what to find, and without
			require.LessOrEqual(t, evaluate[int64](t, b, `document.querySelector('.toolbar').scrollWidth`), width)
			b.run(t, chromedp.Evaluate[chromedp.Void](`document.getElementById('find').click()`))
		}
	}
}

// hurry makes the page live faster: waits of seconds become as many hundredths.
func (b *tab) hurry(t *testing.T) {
	t.Helper()
	_, err := chromedp.Call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `(() => { const real = setTimeout; window.setTimeout = (act, wait, ...rest) => real(act, wait >= 5000 ? wait / 50 : wait, ...rest); })()`,
	})
	require.NoError(t, err)
}

func TestReportThatTakesLong(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1000, 700)
	b.hurry(t)
	s := newStage(t)
	s.Standin.Fail("GET /export/report/", standin.Fault{Hang: true})
	b.run(t, chromedp.Navigate(s.link(t)))
	b.until(t, `document.getElementById('loading-text').textContent.startsWith('This takes longer than usual')`)
	b.picture(t, "slow")
	b.until(t, `!document.getElementById('problem').hidden`)
	require.Equal(t, "The report takes too long", evaluate[string](t, b, `document.getElementById('problem-title').textContent`))
	require.True(t, evaluate[bool](t, b, `document.getElementById('loading').hidden`))
	b.picture(t, "given up")

	s.Standin.Heal()
	s.Standin.Fail("GET /export/report/", standin.Fault{Delay: time.Second})
	b.run(t, chromedp.Click("#retry"))
	b.until(t, drawn)
	require.Equal(t, "1", evaluate[string](t, b, `document.getElementById('count').textContent`), "a slow one is shown all the same")
}
