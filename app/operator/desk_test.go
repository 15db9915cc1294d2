package operator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

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
