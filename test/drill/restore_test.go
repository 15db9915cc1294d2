package drill_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/store"
)

type object = map[string]any

// TestRestore fills a database through the service, dumps it while a change is cut through, restores it into an empty one
// without indexes, runs every command that docs/backup.md wants after a restore, and starts a service on it.
func TestRestore(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinic := fill(t, &service.App)
	before := look(t, &service.App, clinic)
	require.Zero(t, service.Stop(t))
	cutThrough(t, service.Store, clinic)

	dump := t.TempDir()
	written := write(t, service.Store, dump)
	for _, collection := range []string{"clinics", "clinicians", "patients", "patient_deletions", "redox"} {
		require.Positive(t, written[collection], "nothing of %s would be proved", collection)
	}
	restored := testkit.Database(t)
	require.NoError(t, restored.Drop(t.Context()))
	read(t, restored, dump)
	require.Equal(t, written, write(t, restored, t.TempDir()), "documents of each collection")
	missing, err := store.NewIndexBuilder(restored, store.NewLeases(restored), app.Indexes()).Plan(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, missing)

	environment := elsewhere(service.Environment(), restored.Name())
	for _, command := range afterRestore(t) {
		output, status := ehr(t, environment, command)
		require.Zero(t, status, "ehr %s: %s", command, output)
		if command == "census recount --all" {
			require.Contains(t, output, clinic+" was off by -5, and is mended")
		}
	}
	for _, command := range []string{"census check --all", "indexes check"} {
		output, status := ehr(t, environment, command)
		require.Zero(t, status, "ehr %s: %s", command, output)
	}
	service.Start(t, environment)
	require.Equal(t, before, look(t, &service.App, clinic))
	service.NewPatient(t, clinic, "New Patient", nil)
	require.Zero(t, service.Stop(t))
}

// fill makes a clinic of which each collection that matters holds something, and returns its id.
func fill(t *testing.T, service *testkit.App) string {
	t.Helper()
	clinic, admin := service.NewClinic(t)
	path := "/v1/clinics/" + clinic
	service.NewMember(t, clinic, "CLINIC_MEMBER")
	tag := service.Call(t, testkit.Service, http.MethodPost, path+"/patient_tags", object{"name": "Tag"}).OK(t, http.StatusOK).Object(t)
	for range 3 {
		service.NewPatient(t, clinic, "Tagged Patient", object{"tags": []any{tag["id"]}})
	}
	leaves := service.NewPatient(t, clinic, "Former Patient", nil)
	service.Call(t, testkit.User(admin), http.MethodDelete, path+"/patients/"+leaves["id"].(string), nil).OK(t, http.StatusNoContent)
	service.Call(t, testkit.Service, http.MethodPut, path+"/settings/ehr", object{
		"enabled": true, "provider": "redox", "sourceId": "drill-" + clinic, "mrnIdType": "MR",
		"tags": object{"codes": []string{}, "separator": ","}, "flowsheets": object{"icode": false},
		"scheduledReports": object{"cadence": "14d", "onUploadEnabled": true}, "procedureCodes": object{"enableSummaryReports": "ON"},
	}).OK(t, http.StatusOK)
	order := `{"Meta": {"DataModel": "Order", "EventType": "New", "Source": {"ID": "drill-` + clinic + `"}, "Logs": [{"ID": "log"}]},
		"Patient": {"Identifiers": [{"ID": "0001", "IDType": "MR"}]}, "Order": {"ID": "1", "Procedure": {"Code": "ON"}}}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, service.URL+"/v1/redox", strings.NewReader(order))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("verification-token", testkit.RedoxToken)
	service.Do(t, testkit.Nobody, request).OK(t, http.StatusOK)
	require.Len(t, testkit.Documents(t, service.Store, redox.MessagesCollectionName, bson.M{}), 1)
	return clinic
}

// look returns what callers see of the clinic.
func look(t *testing.T, service *testkit.App, clinic string) map[string]any {
	t.Helper()
	seen := map[string]any{}
	for _, path := range []string{"", "/patients?limit=100&sort=%2BfullName&sortType=cgm", "/clinicians", "/patient_count", "/settings/ehr"} {
		var answer any
		service.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinic+path, nil).OK(t, http.StatusOK).Into(t, &answer)
		seen[path] = answer
	}
	return seen
}

// cutThrough leaves the database as a backup can: five patients are counted already that are not there yet.
func cutThrough(t *testing.T, d *store.Database, clinic string) {
	t.Helper()
	id, err := bson.ObjectIDFromHex(clinic)
	require.NoError(t, err)
	result, err := d.Collection(clinics.CollectionName).UpdateByID(t.Context(), id, bson.M{"$inc": bson.M{"patientCount.total": 5, "patientCount.plan": 5}})
	require.NoError(t, err)
	require.EqualValues(t, 1, result.ModifiedCount)
}

// write dumps each collection into a file of its own, one document after the other, as mongodump does. It returns how many
// documents each has; one without documents is not restored.
func write(t *testing.T, d *store.Database, folder string) map[string]int {
	t.Helper()
	names, err := d.ListCollectionNames(t.Context(), bson.D{})
	require.NoError(t, err)
	written := map[string]int{}
	for _, name := range names {
		cursor, err := d.Collection(name).Find(t.Context(), bson.D{})
		require.NoError(t, err)
		var content bytes.Buffer
		for cursor.Next(t.Context()) {
			content.Write(cursor.Current)
			written[name]++
		}
		require.NoError(t, cursor.Err())
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+".bson"), content.Bytes(), 0o600))
	}
	return written
}

// read restores a dump. It makes no indexes.
func read(t *testing.T, d *store.Database, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.bson"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var documents []any
		for reader := bytes.NewReader(content); reader.Len() > 0; {
			document, err := bson.ReadDocument(reader)
			require.NoError(t, err)
			documents = append(documents, document)
		}
		if len(documents) > 0 {
			_, err := d.Collection(strings.TrimSuffix(filepath.Base(file), ".bson")).InsertMany(t.Context(), documents)
			require.NoError(t, err)
		}
	}
}

// elsewhere returns the environment with another database.
func elsewhere(environment []string, database string) []string {
	const variable = "TIDEPOOL_CLINIC_DATABASE_NAME="
	changed := []string{}
	for _, setting := range environment {
		if strings.HasPrefix(setting, variable) {
			setting = variable + database
		}
		changed = append(changed, setting)
	}
	return changed
}

var quoted = regexp.MustCompile("`ehr ([^`]+)`")

// afterRestore returns the commands that the page wants, in its order.
func afterRestore(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/backup.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(content), "\n## Restore\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var commands []string
	for _, match := range quoted.FindAllStringSubmatch(section, -1) {
		if strings.ToLower(match[1]) == match[1] { // no id stands in it
			commands = append(commands, match[1])
		}
	}
	require.Subset(t, commands, []string{"documents check", "indexes build", "census recount --all"})
	return commands
}

// ehr runs a command of the operators' command line, and returns what it says and its exit status.
func ehr(t *testing.T, environment []string, arguments string) (string, int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ehr")
	require.NoError(t, os.Symlink(testkit.Build(t), program))
	begun := time.Now()
	command := exec.CommandContext(t.Context(), program, strings.Fields(arguments)...)
	command.Env = environment
	output, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		require.NoError(t, err)
	}
	t.Logf("ehr %s: %s", arguments, time.Since(begun).Round(time.Millisecond))
	return string(output), command.ProcessState.ExitCode()
}
