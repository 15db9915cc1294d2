package xealth

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

func about(clinic *clinics.Clinic) match { return match{clinic: clinic, fullName: "Marta Quist"} }

func taggedClinic(names ...string) *clinics.Clinic {
	clinic := &clinics.Clinic{}
	for _, name := range names {
		clinic.PatientTags = append(clinic.PatientTags, clinics.PatientTag{ID: bson.NewObjectID(), Name: name})
	}
	return clinic
}

// TestFormsCanBeDrawn holds every form, with and without tags, against the rules of react-jsonschema-form, which draws
// nothing of a form that breaks one of them.
func TestFormsCanBeDrawn(t *testing.T) {
	t.Parallel()
	for _, clinic := range []*clinics.Clinic{taggedClinic(), taggedClinic("zeta", "Alpha")} {
		forms := []Form{enrollmentForm(about(clinic), false), enrollmentForm(about(clinic), true)}
		for p := range problems {
			forms = append(forms, problemForm(clinic, p, Submission{}))
		}
		for _, form := range forms {
			var drawn struct{ FormSchema, UISchema map[string]any }
			content, err := json.Marshal(form)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(content, &drawn))
			require.NotEmpty(t, drawn.FormSchema["title"])
			requireDrawable(t, form.ID, drawn.FormSchema, drawn.UISchema, drawn.FormSchema["definitions"].(map[string]any))
		}
	}
}

func requireDrawable(t *testing.T, path string, schema, ui, definitions map[string]any) {
	t.Helper()
	if reference, ok := schema["$ref"].(string); ok {
		require.Contains(t, definitions, strings.TrimPrefix(reference, "#/definitions/"), path)
		return
	}
	require.Contains(t, []any{"object", "string", "boolean", "array", "null"}, schema["type"], path)
	require.Contains(t, schema, "title", path)
	children := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	maps.Copy(children, properties)
	dependencies, _ := schema["dependencies"].(map[string]any)
	for cause, effect := range dependencies {
		require.Contains(t, properties, cause, path)
		maps.Copy(children, effect.(map[string]any)["properties"].(map[string]any))
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		require.Contains(t, properties, name, path)
	}
	order, ordered := ui["ui:order"].([]any)
	if ordered {
		require.ElementsMatch(t, slices.Collect(maps.Keys(children)), order, "%s: an order names each field once", path)
	}
	for name := range ui {
		if !strings.HasPrefix(name, "ui:") && path != errorForm {
			require.Contains(t, children, name, "%s: a hint is for a field", path)
		}
	}
	for name, child := range children {
		hints, _ := ui[name].(map[string]any)
		requireDrawable(t, path+"."+name, child.(map[string]any), hints, definitions)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		requireDrawable(t, path+"[]", items, nil, definitions)
	}
}

func TestTagsOfAForm(t *testing.T) {
	t.Parallel()
	clinic := taggedClinic("zeta", "beta", "Alpha")
	form := enrollmentForm(about(clinic), false)
	tags := object(object(form.Schema, "definitions"), "tags")
	require.Equal(t, []string{"Alpha", "beta", "zeta"}, tags["enumNames"])
	require.Equal(t, []string{clinic.PatientTags[2].ID.Hex(), clinic.PatientTags[1].ID.Hex(), clinic.PatientTags[0].ID.Hex()}, tags["enum"])
	require.Equal(t, "object", object(object(form.Schema, "properties"), "tags")["type"])
	require.Equal(t, "zeta", clinic.PatientTags[0].Name, "the clinic is left as it is")

	form = enrollmentForm(about(taggedClinic()), false)
	require.Equal(t, "null", object(object(form.Schema, "properties"), "tags")["type"], "the next form starts afresh")
	require.Equal(t, "hidden", object(form.UI, "tags")["ui:widget"])
}

func TestProblemsSayWhatOthersLookFor(t *testing.T) {
	t.Parallel()
	require.Len(t, problems[problemGeneric], 1)
	require.Len(t, problems[problemDuplicateEmail], 4)
	require.Len(t, problems[problemBirthDate], 4)
	require.Contains(t, problems[problemDuplicateEmail][0], "The email address you chose is already in use with another account in Tidepool")
	require.Contains(t, problems[problemBirthDate][0], "there's a mismatch with the patient's date of birth between Tidepool and the Electronic Health Record (EHR)")
	for _, paragraphs := range problems {
		require.Contains(t, paragraphs[len(paragraphs)-1], "support@tidepool.org")
	}
}
