package redox_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
)

// models are the public model files of Redox, beside the repository: JSON Schemas, named <model>/<event>.json.
const models = "../../shared/samples/redox"

// modelNames are the names of models and events as Redox writes them.
var modelNames = map[string]string{
	"flowsheet": "Flowsheet", "medications": "Medications", "notes": "Notes", "order": "Order", "patientadmin": "PatientAdmin",
	"results": "Results", "new": "New", "replace": "Replace", "cancel": "Cancel", "groupedorders": "GroupedOrders",
	"update": "Update", "newpatient": "NewPatient",
}

type schema struct {
	Type       any               `json:"type"` // a name or a list of names
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// instance returns a value that a schema describes, with all its members; every seventh value that may be null is null.
func (s schema) instance(name string, count *int) any {
	*count++
	is := func(kind string) bool {
		switch types := s.Type.(type) {
		case string:
			return types == kind
		case []any:
			return slices.Contains(types, any(kind))
		default:
			return false
		}
	}
	switch {
	case is("null") && *count%7 == 0:
		return nil
	case len(s.Properties) > 0 || is("object"):
		object := map[string]any{}
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			object[member] = s.Properties[member].instance(member, count)
		}
		return object
	case is("array"):
		if s.Items == nil {
			return []any{name, ""}
		}
		return []any{s.Items.instance(name, count), s.Items.instance(name, count)}
	case is("boolean"):
		return *count%2 == 0
	case is("number"):
		return []any{*count, float64(*count) + 0.25, 3000000000 + *count}[*count%3]
	default:
		return name + []string{" Zoë", "", " \"q\"\n", " 2024-02-29", " <b>"}[*count%5]
	}
}

// messagesOf returns a message for each model file, by the name of the file.
func messagesOf(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(models, "*", "*.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("skipped: the public model files of Redox are not beside the repository (" + models + ")")
	}
	messages := map[string]map[string]any{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var s schema
		require.NoError(t, json.Unmarshal(content, &s), file)
		model, event := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json")
		count := 0
		message := s.instance("", &count).(map[string]any)
		meta := message["Meta"].(map[string]any)
		meta["DataModel"], meta["EventType"] = modelNames[model], modelNames[event]
		require.NotEmpty(t, meta["DataModel"], file)
		require.NotEmpty(t, meta["EventType"], file)
		messages[model+"/"+event] = message
	}
	return messages
}

func TestMessagesBuiltFromThePublishedModelsAreStored(t *testing.T) {
	t.Parallel()
	messages := messagesOf(t)
	c := newConnected(t)
	for name, message := range messages {
		body, err := json.Marshal(message)
		require.NoError(t, err)
		require.NoError(t, c.Receive(t.Context(), body), name)
		stored := c.last(t)
		content, err := bson.MarshalExtJSON(stored.Content, false, false)
		require.NoError(t, err)
		require.JSONEq(t, string(body), string(content), name)
		require.Equal(t, message["Meta"].(map[string]any)["DataModel"], stored.Meta.DataModel)
	}
	require.GreaterOrEqual(t, len(messages), 10)
}

func TestOrderBuiltFromThePublishedModelIsMatched(t *testing.T) {
	t.Parallel()
	messages := messagesOf(t)
	c := newConnected(t)
	_, err := c.store.Collection(patients.CollectionName).InsertOne(t.Context(), bson.M{
		"clinicId": c.clinicID, "userId": "1234567890", "fullName": "Ömer Çelik", "birthDate": "1978-11-30", "mrn": "44810",
	})
	require.NoError(t, err)
	for name, message := range messages {
		if !strings.HasPrefix(name, "order/") {
			continue
		}
		message["Meta"].(map[string]any)["Source"] = map[string]any{"ID": "source-1", "Name": nil}
		patient, ok := message["Patient"].(map[string]any)
		if ok {
			patient["Identifiers"] = append(patient["Identifiers"].([]any), map[string]any{"ID": "44810", "IDType": "mr"})
			maps.Copy(patient["Demographics"].(map[string]any), map[string]any{"FirstName": "OMER", "LastName": "celik", "DOB": "1978-11-30"})
		}
		body, err := json.Marshal(message)
		require.NoError(t, err)
		require.NoError(t, c.Receive(t.Context(), body), name)
		match, err := c.MatchOrder(t.Context(), c.last(t).ID, &redox.PatientOptions{Criteria: []redox.Criterion{redox.ByMRNAndBirthDate, redox.ByBirthDateAndFullName}})
		if name != "order/new" {
			require.ErrorIs(t, err, redox.ErrMessageNotFound, name)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, match.Patients, 1)
		require.Equal(t, "1234567890", match.Patients[0].UserID)
	}
}

// last returns the message that was stored last.
func (c connected) last(t *testing.T) redox.Message {
	t.Helper()
	stored := testkit.Documents(t, c.store, redox.MessagesCollectionName, bson.M{})
	raw, err := bson.Marshal(stored[len(stored)-1])
	require.NoError(t, err)
	var message redox.Message
	require.NoError(t, bson.Unmarshal(raw, &message))
	return message
}
