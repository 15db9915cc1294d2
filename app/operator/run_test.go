package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// desk is where an operator works: a service with neighbours, and a clinic that is connected to a health record.
type desk struct {
	*testkit.App
	config   config.Config
	clinicID string
}

func newDesk(t *testing.T, settings map[string]any) *desk {
	t.Helper()
	d := &desk{}
	d.App = testkit.Start(t, testkit.Populate(&d.config))
	d.clinicID, _ = d.NewClinic(t)
	if settings != nil {
		d.connect(t, d.clinicID, settings)
	}
	return d
}

func (d *desk) connect(t *testing.T, clinicID string, settings map[string]any) {
	t.Helper()
	all := map[string]any{
		"enabled": true, "provider": "redox", "sourceId": "source-1", "mrnIdType": "MR",
		"procedureCodes":   map[string]any{"enableSummaryReports": "on", "disableSummaryReports": "off", "createAccount": "new"},
		"scheduledReports": map[string]any{"cadence": "14d", "onUploadEnabled": true},
		"tags":             map[string]any{}, "flowsheets": map[string]any{"icode": false},
	}
	for name, value := range settings {
		all[name] = value
	}
	d.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+clinicID+"/settings/ehr", all).OK(t, http.StatusOK)
}

// ran is what a command did.
type ran struct {
	status         int
	stdout, stderr string
}

func (d *desk) run(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, func(bool) (config.Config, error) { return d.config, nil }, &stdout, &stderr)
	return ran{status, stdout.String(), stderr.String()}
}

// ok returns the lines of results of a command that must succeed.
func (d *desk) ok(t *testing.T, args ...string) []string {
	t.Helper()
	r := d.run(t, args...)
	require.Zero(t, r.status, r.stderr)
	return strings.Split(strings.TrimSpace(r.stdout), "\n")
}

// objects is ok with --output json.
func (d *desk) objects(t *testing.T, args ...string) (objects []map[string]any) {
	t.Helper()
	for _, line := range d.ok(t, append(args, "--output", "json")...) {
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &object), line)
		objects = append(objects, object)
	}
	return objects
}

func (d *desk) patient(t *testing.T, name string, extra map[string]any) string {
	t.Helper()
	return d.NewPatient(t, d.clinicID, name, extra)["id"].(string)
}

// set changes stored fields of a patient.
func (d *desk) set(t *testing.T, userID string, fields bson.M) {
	t.Helper()
	_, err := d.Store.Collection(patients.CollectionName).UpdateOne(t.Context(), bson.M{"userId": userID}, bson.M{"$set": fields})
	require.NoError(t, err)
}

func (d *desk) stored(t *testing.T) []bson.M {
	t.Helper()
	return testkit.Documents(t, d.Store, patients.CollectionName, bson.M{})
}

func subscription(provider string, active bool, messages ...bson.ObjectID) bson.M {
	matched := bson.A{}
	for _, id := range messages {
		matched = append(matched, bson.M{"id": id, "dataModel": "Order", "eventType": "New"})
	}
	return bson.M{"active": active, "provider": provider, "matchedMessages": matched}
}

// order stores a new order and returns its id.
func (d *desk) order(t *testing.T, source, code string, patient bson.M) bson.ObjectID {
	t.Helper()
	id := bson.NewObjectID()
	_, err := d.Store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), bson.M{
		"_id":     id,
		"meta":    bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": source, "Name": nil}},
		"message": bson.M{"Order": bson.M{"Procedure": bson.M{"Code": code}}, "Patient": patient["Patient"], "Visit": patient["Visit"]},
	})
	require.NoError(t, err)
	return id
}

func about(mrn, birthDate string, emails ...any) bson.M {
	return bson.M{
		"Patient": bson.M{
			"Identifiers":  bson.A{bson.M{"ID": mrn, "IDType": "MR"}},
			"Demographics": bson.M{"DOB": birthDate, "FirstName": "Pat", "LastName": "Test", "EmailAddresses": bson.A(emails)},
		},
		"Visit": bson.M{"Guarantor": bson.M{"EmailAddresses": bson.A{"Guardian <guardian-" + mrn + "@example.com>"}}},
	}
}

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

func TestOrdersListSaysWhy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	d.patient(t, "Ann", map[string]any{"mrn": "A", "birthDate": "1990-01-01"})
	d.patient(t, "Twin", map[string]any{"mrn": "T", "birthDate": "1990-01-01"})
	d.patient(t, "Twin", map[string]any{"mrn": "t", "birthDate": "1990-01-01"})
	twin := func(source string) { // two clinics with the same source
		for range 2 {
			id, _ := d.NewClinic(t)
			d.connect(t, id, map[string]any{"sourceId": source})
		}
	}
	twin("twins")
	person := about("A", "1990-01-01")
	want := map[string]string{
		d.order(t, "nowhere", "on", person).Hex():                             "unmatched: not found: couldn't find a matching clinic",
		d.order(t, "twins", "on", person).Hex():                               "unmatched: duplicate: multiple matching clinics found",
		d.order(t, "", "on", person).Hex():                                    "failed: bad request: source id is required",
		d.order(t, "source-1", "on", about("", "1990-01-01")).Hex():           "unmatched: the order has no patient identifier of the type that the clinic takes for its MRN",
		d.order(t, "source-1", "on", about("A", "")).Hex():                    "failed: bad request: date of birth is missing",
		d.order(t, "source-1", "on", about("A", "1991-01-01")).Hex():          "unmatched: no patient matches",
		d.order(t, "source-1", "off", about("T", "1990-01-01")).Hex():         "unmatched: several patients match",
		d.order(t, "source-1", "on", person).Hex():                            "pending: one patient matches, but the order did not act",
		d.order(t, "source-1", "new", about("unknown", "1990-01-01")).Hex():   "pending: no account was made",
		d.order(t, "source-1", "other", about("unknown", "1990-01-01")).Hex(): "ignored: the clinic has no use for the procedure code",
		d.order(t, "source-1", "new", person).Hex():                           "done: ",
	}
	acted := d.order(t, "source-1", "on", person)
	want[acted.Hex()] = "done: "
	d.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", map[string]any{
		"messageRef": map[string]any{"dataModel": "Order", "eventType": "New", "documentId": acted.Hex()},
		"patients":   map[string]any{"criteria": []string{"MRN_DOB"}, "onUniqueMatch": "ENABLE_REPORTS"},
	}).OK(t, http.StatusOK)

	got := map[string]string{}
	rows := d.objects(t, "orders", "list", "--all")
	for _, row := range rows[:len(rows)-1] {
		reason, _ := row["reason"].(string)
		got[row["id"].(string)] = row["outcome"].(string) + ": " + reason
	}
	require.Equal(t, want, got)
	require.Equal(t, map[string]any{"found": 12.0, "seen": 12.0}, rows[12])

	lines := d.ok(t, "orders", "list")
	require.Equal(t, "Found 9 orders, looked at 12", lines[len(lines)-1], "without those that acted or ask for nothing")
	require.NotContains(t, strings.Join(lines, "\n"), "1990-01-01", "nothing about patients")
	require.Len(t, d.ok(t, "orders", "list", "--source", "twins"), 2)
	require.Len(t, d.ok(t, "orders", "list", "--limit", "3"), 4)
	require.Equal(t, []string{"Found 0 orders, looked at 0"}, d.ok(t, "orders", "list", "--source", "other"))
}

func TestOrdersListShowsRedeliveriesAndLooksBackAsFarAsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	first := bson.NewObjectIDFromTimestamp(time.Now().Add(-48 * time.Hour))
	meta := bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "nowhere"}}
	for _, document := range []bson.M{
		{"_id": first, "meta": meta, "message": bson.M{}},
		{"_id": bson.NewObjectID(), "meta": meta, "message": bson.M{}, "derived": bson.M{"redeliveryOf": first}},
	} {
		_, err := d.Store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), document)
		require.NoError(t, err)
	}
	lines := d.ok(t, "orders", "list", "--since", "1h")
	require.Len(t, lines, 2)
	require.True(t, strings.HasSuffix(lines[0], " - redelivery of "+first.Hex()), lines[0])
	require.Len(t, d.ok(t, "orders", "list", "--since", "49h"), 3)
}

func TestOrdersReplay(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	id := bson.NewObjectID()
	_, err := d.Store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), bson.M{
		"_id": id, "meta": bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "nowhere"}}, "message": bson.M{},
	})
	require.NoError(t, err)
	for argument, text := range map[string]string{
		"x": "invalid documentId", bson.NewObjectID().Hex(): "couldn't find the message", id.Hex(): "the order would not act now either",
	} {
		r := d.run(t, "orders", "replay", argument)
		require.Contains(t, []int{statusUsage, statusNotFound, statusRefused}, r.status)
		require.Contains(t, r.stderr, text)
	}
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
