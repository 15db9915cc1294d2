package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// openDocs shows an operation of the interface page.
func (b *tab) openDocs(t *testing.T, address, operation string) {
	t.Helper()
	b.run(t, chromedp.Navigate(address+"/docs#"+operation))
	b.until(t, fmt.Sprintf(`document.querySelector('#%s[open] .body')`, operation))
}

// openAllDocs shows the interface page with all its operations, each closed.
func (b *tab) openAllDocs(t *testing.T, address string) {
	t.Helper()
	b.run(t, chromedp.Navigate(address+"/docs"))
	b.until(t, `document.querySelectorAll('details.op').length > 70`)
}

// set puts a value into a field of the form of an operation, by the label of the field, as typing does.
func (b *tab) set(t *testing.T, operation, label, value string) {
	t.Helper()
	done := evaluate[bool](t, b, fmt.Sprintf(`(() => {
		const label = [...document.querySelectorAll('#%s .try label')].find((one) => one.textContent.startsWith(%q));
		const input = label?.querySelector('input, select, textarea');
		if (!input) return false;
		input.value = %q;
		input.dispatchEvent(new Event('input', { bubbles: true }));
		return true;
	})()`, operation, label, value))
	require.True(t, done, "%s has a field %s", operation, label)
}

// fill opens the form of an operation of a clinic, and fills in who asks for what.
func (b *tab) fill(t *testing.T, operation string, s stage) {
	t.Helper()
	b.run(t, chromedp.Click("#"+operation+" details.try > summary"))
	b.until(t, fmt.Sprintf(`document.querySelector('#%s form')`, operation))
	b.set(t, operation, "Session token", string(testkit.Service))
	b.set(t, operation, "clinicId", s.clinicID)
}

// send sends the request of the form and returns the line that tells about the answer.
func (b *tab) send(t *testing.T, operation string) string {
	t.Helper()
	b.run(t, chromedp.Click("#"+operation+" form button[type=submit]"))
	line := fmt.Sprintf(`document.querySelector('#%s p.status[role=status]').textContent`, operation)
	b.until(t, `/^\d{3}|^The|^No/.test(`+line+`)`)
	return evaluate[string](t, b, line)
}

// awaitAnswer waits until the answer, which is shown after its status, has the text.
func (b *tab) awaitAnswer(t *testing.T, operation, text string) {
	t.Helper()
	b.until(t, fmt.Sprintf(`document.querySelector('#%s .answer').textContent.includes(%q)`, operation, text))
}

// openAll opens everything that can be opened in an operation, level by level.
func (b *tab) openAll(t *testing.T, operation string) {
	t.Helper()
	closed := fmt.Sprintf(`[...document.querySelectorAll('#%s details:not([open])')]`, operation)
	for range 6 {
		b.run(t, chromedp.Evaluate[chromedp.Void](closed+`.slice(0, 80).forEach((part) => { part.open = true; })`))
		b.until(t, `true`) // the parts are rendered by events of their own
	}
}

func TestRequestIsTried(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	const create, read = "CreatePatientAccount", "GetPatient"
	b.openDocs(t, s.URL, create)
	b.fill(t, create, s)
	body := evaluate[string](t, b, `document.querySelector('#CreatePatientAccount textarea').value`)
	var example map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &example), "the body is filled in from the example")
	require.Contains(t, example, "fullName")

	b.set(t, create, "Body", `{"fullName": "Vera O'Hara"`)
	require.Contains(t, evaluate[string](t, b, `document.querySelector('#CreatePatientAccount .try p.flag').textContent`), "not JSON")
	require.Contains(t, b.send(t, create), "400")
	b.awaitAnswer(t, create, "body_invalid")
	b.awaitAnswer(t, create, "The body is no JSON")

	b.set(t, create, "Body", `{"fullName": "Vera O'Hara", "birthDate": "1999-12-31"}`)
	require.Contains(t, b.send(t, create), "200")
	b.awaitAnswer(t, create, `"fullName": "Vera O'Hara"`)
	b.picture(t, "a tried request")
	found := s.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+s.clinicID+"/patients?search=vera", nil).OK(t, http.StatusOK).Object(t)
	require.Len(t, found["data"], 1, "the request reached the service")

	line := evaluate[string](t, b, `document.querySelector('#CreatePatientAccount form pre').textContent`)
	require.Contains(t, runLine(t, line), `"fullName":"Vera O'Hara"`, "the line makes the same request")

	// What was typed is there in the form of another operation; it stands in no address and is not kept.
	b.openDocs(t, s.URL, read)
	b.run(t, chromedp.Click("#GetPatient details.try > summary"))
	b.until(t, `document.querySelector('#GetPatient form')`)
	require.Equal(t, s.clinicID, evaluate[string](t, b, `document.querySelector('#GetPatient [data-key="path clinicId"]').value`))
	require.Contains(t, b.send(t, read), "The path needs patientId")
	b.set(t, read, "patientId", s.userID)
	require.Contains(t, b.send(t, read), "200")
	b.awaitAnswer(t, read, "Marta Quist")
	require.Equal(t, "0 0 #GetPatient", evaluate[string](t, b, "`${localStorage.length} ${sessionStorage.length} ${location.hash}`"))
	b.set(t, read, "Session token", "")
	require.Contains(t, evaluate[string](t, b, `document.querySelector('#GetPatient form pre').textContent`), `-H "x-tidepool-session-token: $TOKEN"`)
	require.Equal(t, map[string]bool{strings.TrimPrefix(s.URL, "http://"): true}, b.hosts)
}

// runLine runs a curl line in a shell.
func runLine(t *testing.T, line string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIPPED: curl is not installed, so its lines are not tried")
	}
	output, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
	require.NoError(t, err, "%s\n%s", line, output)
	return string(output)
}

func TestPartnersCredentialsAreTried(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	for operation, field := range map[string]string{"XealthGetPrograms": "Bearer token", "ProcessEHRMessage": "Verification token"} {
		b.openDocs(t, s.URL, operation)
		b.run(t, chromedp.Click("#"+operation+" details.try > summary"))
		b.until(t, fmt.Sprintf(`document.querySelector('#%s form')`, operation))
		require.Contains(t, b.send(t, operation), "401")
		token := map[string]string{"Bearer token": testkit.XealthToken, "Verification token": testkit.RedoxToken}[field]
		b.set(t, operation, field, token)
		require.Regexp(t, `^(200|404)`, b.send(t, operation), operation)
	}
	b.openDocs(t, s.URL, "XealthPreorder")
	b.run(t, chromedp.Click("#XealthPreorder details.try > summary"))
	b.until(t, `document.querySelector('#XealthPreorder form')`)
	require.Contains(t, evaluate[string](t, b, `document.querySelector('#XealthPreorder textarea').value`), `"initial"`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`(() => {
		const choice = document.querySelector('#XealthPreorder .try select');
		choice.value = '1';
		choice.dispatchEvent(new Event('change', { bubbles: true }));
	})()`))
	require.Contains(t, evaluate[string](t, b, `document.querySelector('#XealthPreorder textarea').value`), `"subsequent"`)
	require.Contains(t, evaluate[string](t, b, `document.querySelector('#XealthPreorder form pre').textContent`), `"subsequent"`)
}

func TestSearchLooksInside(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	b.openAllDocs(t, s.URL)
	search := func(text string) string {
		b.run(t, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
			const field = document.getElementById('search');
			field.value = %q;
			field.dispatchEvent(new Event('input', { bubbles: true }));
		})()`, text)))
		return evaluate[string](t, b, `[...document.querySelectorAll('details.op:not([hidden])')].map((part) => part.id).join(' ')`)
	}
	require.Subset(t, strings.Fields(search("MRN settings")), []string{"GetMRNSettings", "UpdateMRNSettings"})
	require.Contains(t, strings.Fields(search("onUploadNoteEventType")), "UpdateEHRSettings", "a member of a body, far inside")
	require.Equal(t, "has onUploadNoteEventType", evaluate[string](t, b, `document.querySelector('#UpdateEHRSettings .hit:not([hidden])').textContent`))
	b.picture(t, "search")
	require.Contains(t, strings.Fields(search("lastDataCutoff")), "TideReport", "a parameter")
	require.Contains(t, strings.Fields(search("several_admins")), "TriggerInitialMigration", "a reason")
	require.Empty(t, search("nothing-has-this-name"))
	require.Equal(t, "0 found", evaluate[string](t, b, `document.getElementById('found').textContent`))
	require.Greater(t, len(strings.Fields(search(""))), 70)
}

func TestInterfacePageByKeyboard(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	b.openAllDocs(t, s.URL)
	b.run(t, chromedp.KeyEvent("\t"))
	require.Equal(t, "Skip to the operations", evaluate[string](t, b, `document.activeElement.textContent`))
	require.GreaterOrEqual(t, evaluate[float64](t, b, `document.activeElement.getBoundingClientRect().left`), 0.0, "it is seen")
	b.picture(t, "skip link")
	b.run(t, chromedp.KeyEvent("\r"))
	b.until(t, `document.activeElement.id === 'main'`)
	b.run(t, chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"))
	require.Equal(t, "SUMMARY", evaluate[string](t, b, `document.activeElement.tagName`), "the first operation, after the link to the document")
	b.run(t, chromedp.KeyEvent("\r"))
	b.until(t, `document.querySelector('details.op[open] .body')`)
}

func TestOperationsHaveLinksToCopy(t *testing.T) {
	t.Parallel()
	b := newTab(t, 1280, 900)
	s := newStage(t)
	b.openDocs(t, s.URL, "GetClinic")
	for _, clipboard := range []string{
		`navigator.clipboard.writeText = async (text) => { window.copied = text; }`,
		`navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => { window.copied = String(getSelection()) || document.activeElement.value; }`,
	} {
		b.run(t, chromedp.Evaluate[chromedp.Void](`window.copied = ''; document.getElementById('said').textContent = ''; `+clipboard))
		b.run(t, chromedp.Click("#GetClinic .body .row button"))
		b.until(t, `document.getElementById('said').textContent === 'Link copied.'`)
		require.Equal(t, s.URL+"/docs#GetClinic", evaluate[string](t, b, `window.copied`))
	}
}

func TestNothingSticksOutOnAPhone(t *testing.T) {
	t.Parallel()
	b := newTab(t, 390, 844)
	s := newStage(t)
	b.openAllDocs(t, s.URL)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details.op').forEach((part) => { part.open = true; })`))
	b.until(t, `document.querySelectorAll('details.op > .body').length > 70`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details.op > .body > details').forEach((part) => { part.open = true; })`))
	b.until(t, `document.querySelectorAll('details.op form').length > 70`)
	require.LessOrEqual(t, evaluate[int](t, b, `document.documentElement.scrollWidth`), 390)
	b.picture(t, "phone, all open")
}
