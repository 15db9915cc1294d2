package browser_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axe returns the source of axe-core, and why there is none.
var axe = sync.OnceValues(func() (string, string) {
	var path, problem bytes.Buffer
	script := exec.Command("./axe")
	script.Stdout, script.Stderr = &path, &problem
	if err := script.Run(); err != nil {
		return "", strings.TrimSpace(problem.String())
	}
	source, err := os.ReadFile(strings.TrimSpace(path.String()))
	if err != nil {
		return "", err.Error()
	}
	return string(source), ""
})

func needAxe(t *testing.T) string {
	t.Helper()
	source, problem := axe()
	if source == "" {
		t.Skip("SKIPPED: axe-core cannot be had, so nobody looks for what keeps people out of the pages: " + problem)
	}
	return source
}

// requireAccessible asserts that axe-core finds no fault in what is shown.
func (b *tab) requireAccessible(t *testing.T, source, what string) {
	t.Helper()
	b.run(t, chromedp.Evaluate[chromedp.Void](source))
	found, err := chromedp.Run(b, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(({violations, passes}) =>
		JSON.stringify({passes: passes.length, faults: violations.map(({id, help, nodes}) =>
			({id, help, count: nodes.length, at: nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + node.failureSummary)}))}))`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	var result struct {
		Passes int               `json:"passes"`
		Faults []json.RawMessage `json:"faults"`
	}
	require.NoError(t, json.Unmarshal([]byte(found), &result))
	require.Greater(t, result.Passes, 10, "axe looked at the page")
	for _, fault := range result.Faults {
		t.Errorf("%s: %s", what, fault)
	}
}

// prefer tells the page which colours its reader likes.
func (b *tab) prefer(t *testing.T, scheme string) {
	t.Helper()
	_, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
}

func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	source := needAxe(t)
	for name, size := range sizes {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				t.Parallel()
				b := newTab(t, size[0], size[1])
				b.prefer(t, scheme)
				s := newStage(t)
				b.openDocs(t, s.URL, "CreatePatientAccount")
				b.requireAccessible(t, source, "the interface, closed form")
				b.fill(t, "CreatePatientAccount", s)
				b.send(t, "CreatePatientAccount")
				b.openAll(t, "CreatePatientAccount")
				b.picture(t, "interface "+name+" "+scheme)
				b.requireAccessible(t, source, "the interface, answer and all")

				b.run(t, chromedp.Navigate(s.link(t)))
				b.until(t, drawn)
				b.requireAccessible(t, source, "the report")
				b.find(t, "quist")
				b.picture(t, "report "+name+" "+scheme)
				b.requireAccessible(t, source, "the report, something found")
				b.run(t, chromedp.Navigate(s.expiredLink(t)))
				b.requireAccessible(t, source, "an expired link")
			})
		}
	}
}
