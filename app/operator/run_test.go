package operator

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
)

func TestHelpAndMistakes(t *testing.T) {
	t.Parallel()
	d := &desk{config: testkit.Config("http://127.0.0.1:1", "clinic_test_unused")}
	require.Zero(t, d.run(t, "--help").status)
	tests := map[string]struct {
		args []string
		text string
	}{
		"no argument":       {[]string{"patients", "list"}, "accepts 1 arg(s), received 0"},
		"two arguments":     {[]string{"patients", "enroll", "a", "b"}, "accepts 1 arg(s), received 2"},
		"unknown flag":      {[]string{"clinics", "list", "--x"}, "unknown flag: --x"},
		"unknown form":      {[]string{"clinics", "list", "--output", "xml"}, "--output must be text or json"},
		"both of a pair":    {[]string{"patients", "list", "5f", "--with-mrn", "--without-mrn"}, "none of the others can be"},
		"unknown log level": {[]string{"clinics", "list", "-v", "loud"}, "LOG_LEVEL is not a level"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := d.run(t, test.args...)
			require.Equal(t, statusUsage, r.status)
			require.Contains(t, r.stderr, test.text)
			require.Contains(t, r.stderr, "Usage:")
			require.NotContains(t, r.stdout, "Usage:")
			require.Contains(t, r.stdout, test.text)
		})
	}
}

func TestBadConfigurationIsAnError(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	load := func(bool) (config.Config, error) { return config.Config{}, errors.New("X is missing") }
	require.Equal(t, statusUsage, run(t.Context(), []string{"clinics", "list"}, load, &stdout, &stderr))
	require.Equal(t, "bad configuration: X is missing\n", stdout.String())
}

func TestClinicsListAndShow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	off, _ := d.NewClinic(t)
	d.connect(t, off, map[string]any{"enabled": false})
	never, _ := d.NewClinic(t)

	require.Equal(t, []string{d.clinicID + " Test Clinic", "Found 1 clinics"}, d.ok(t, "clinics", "list"))

	user := d.patient(t, "Ann", map[string]any{"mrn": "1"})
	d.set(t, user, bson.M{"ehrSubscriptions": bson.M{"summaryAndReports": subscription("redox", true)}})
	d.patient(t, "Bob", nil)
	view := d.objects(t, "clinics", "show", d.clinicID)[0]
	require.Equal(t, map[string]any{"total": 2.0, "withMrn": 1.0, "withSubscription": 1.0, "activeRedoxSubscriptions": 1.0}, view["patients"])
	require.Equal(t, "source-1", view["settings"].(map[string]any)["sourceId"])
	require.Equal(t, "there are no destinations: nothing can be sent back", view["problem"])

	d.connect(t, off, map[string]any{})
	require.Equal(t, "another clinic has the same source id: orders match neither", d.objects(t, "clinics", "show", d.clinicID)[0]["problem"])
	text := strings.Join(d.ok(t, "clinics", "show", d.clinicID), "\n")
	require.Contains(t, text, "Provider redox - Source source-1 - MRN type MR")
	require.Contains(t, text, "Procedure code enableSummaryReports: on")
	require.Contains(t, text, "Patients 2 - with MRN 1")

	require.Nil(t, d.objects(t, "clinics", "show", never)[0]["settings"])
	require.Equal(t, clinics.ErrNotFound.Error()+"\n", d.run(t, "clinics", "show", "5f").stdout)
}

func TestPatientCommandsNeedAnEnabledIntegration(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{"enabled": false})
	never, _ := d.NewClinic(t)
	for _, command := range []string{"list", "enroll", "backfill-emails"} {
		for _, id := range []string{d.clinicID, never, bson.NewObjectID().Hex(), "5f"} {
			r := d.run(t, "patients", command, id)
			require.Equal(t, statusRefused, r.status)
			require.Equal(t, "the clinic does not have an active EHR integration\n", r.stdout)
			require.Contains(t, r.stderr, "the clinic does not have an active EHR integration")
		}
	}
}

func TestPatientsListFiltersAsItSays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	add := func(name, mrn string, subscriptions any) string {
		id := d.patient(t, name, nil)
		d.set(t, id, bson.M{"mrn": mrn})
		if subscriptions != nil {
			d.set(t, id, bson.M{"ehrSubscriptions": subscriptions})
		}
		return id
	}
	ann := add("Ann", "2", bson.M{"summaryAndReports": subscription("redox", true), "xealthReports": subscription("xealth", false)})
	bob := add("Bob", "1", bson.M{"summaryAndReports": subscription("redox", false)})
	cat := add("Cat", "", bson.M{})
	dan := d.patient(t, "Dan", nil)

	annLine := "MRN 2 - Ann [" + ann + "] - Subscriptions [redox (active), xealth (inactive)]"
	bobLine := "MRN 1 - Bob [" + bob + "] - Subscriptions [redox (inactive)]"
	catLine := "MRN (empty) - Cat [" + cat + "] - Subscriptions [(empty)]"
	danLine := "MRN (empty) - Dan [" + dan + "] - Subscriptions [(empty)]"
	tests := map[string]struct {
		flags []string
		lines []string
	}{
		"all":                   {nil, []string{danLine, catLine, bobLine, annLine, "Found 4 patients"}},
		"with subscription":     {[]string{"--with-subscription"}, []string{bobLine, annLine, "Found 2 patients"}},
		"without subscription":  {[]string{"--without-subscription"}, []string{danLine, catLine, "Found 2 patients"}},
		"with MRN":              {[]string{"--with-mrn"}, []string{bobLine, annLine, "Found 2 patients"}},
		"without MRN":           {[]string{"--without-mrn"}, []string{danLine, catLine, "Found 2 patients"}},
		"without either":        {[]string{"--without-mrn", "--without-subscription", "-l", "1"}, []string{danLine, "Found 2 patients"}},
		"page":                  {[]string{"-o", "2", "-l", "1"}, []string{bobLine, "Found 4 patients"}},
		"one":                   {[]string{"--user-id", ann}, []string{annLine, "Found 1 patients"}},
		"one with another rule": {[]string{"--user-id", ann, "--without-mrn"}, []string{"Found 0 patients"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.lines, d.ok(t, append([]string{"patients", "list", d.clinicID}, test.flags...)...))
		})
	}
	t.Run("limit", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, statusUsage, d.run(t, "patients", "list", d.clinicID, "-l", "0").status)
	})
}

func TestIndexesCheck(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	lines := d.ok(t, "indexes", "check")
	require.Contains(t, lines, "redox MessagesByLogID - ok")
	require.Contains(t, lines[len(lines)-1], "all as they should be")

	require.NoError(t, d.Store.Collection(redox.MessagesCollectionName).Indexes().DropOne(t.Context(), "MessagesByLogID"))
	r := d.run(t, "indexes", "check")
	require.Equal(t, statusPartial, r.status)
	require.Contains(t, r.stdout, "redox MessagesByLogID - missing (slow)")
	require.Equal(t, statusPartial, d.run(t, "indexes", "check").status, "nothing was mended")

	require.Len(t, d.ok(t, "indexes", "plan"), 2)
	require.Len(t, d.ok(t, "indexes", "build", "--dry-run"), 2)
	require.Len(t, d.ok(t, "indexes", "plan"), 2, "nothing was built")
	rows := d.objects(t, "indexes", "build")
	require.Equal(t, "MessagesByLogID", rows[0]["name"])
	require.NotZero(t, rows[0]["seconds"])
	require.Equal(t, []string{"Found 0 indexes to build"}, d.ok(t, "indexes", "plan"))
	d.ok(t, "indexes", "check")
}
