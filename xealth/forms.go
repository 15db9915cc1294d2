package xealth

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidepool-org/clinic/clinics"
)

// The forms, by id. Their keys, types and wording are in the folder forms; what depends on the patient and the clinic is
// filled in here.
const (
	patientForm  = "patient_enrollment_form"
	guardianForm = "guardian_enrollment_form"
	errorForm    = "error_form"
)

// problem names a text that explains why an order cannot go ahead.
type problem string

const (
	problemGeneric        problem = "generic"
	problemDuplicateEmail problem = "duplicateEmail"
	problemBirthDate      problem = "birthDate"
)

//go:embed forms/*.json
var formFiles embed.FS

// problems are the paragraphs of each text.
var problems = func() (texts map[problem][]string) {
	mustRead("problems", &texts)
	return texts
}()

// Form is a form in the terms of react-jsonschema-form, which Xealth draws.
type Form struct {
	ID     string         `json:"-"`
	Schema map[string]any `json:"formSchema"`
	UI     map[string]any `json:"uiSchema"`
	Data   Submission     `json:"-"`
}

// enrollmentForm asks for what is needed to add the patient.
func enrollmentForm(m match, guardian bool) Form {
	id := patientForm
	if guardian {
		id = guardianForm
	}
	form := newForm(id, m.clinic)
	form.Data = initialValues(m.demographics, guardian)
	form.Schema["title"] = fmt.Sprintf("Add %s to Tidepool", m.fullName)
	if len(m.clinic.PatientTags) > 0 {
		object(object(form.Schema, "properties"), "tags")["type"] = "object"
		object(form.UI, "tags")["ui:widget"] = "object"
	}
	return form
}

// initialValues returns what a form starts with. The address in the health record is the patient's, so a guardian does not
// get it.
func initialValues(patient Demographics, guardian bool) Submission {
	if guardian {
		return Submission{Guardian: &AccountOwner{}}
	}
	return Submission{Patient: &AccountOwner{Email: patient.email()}}
}

// problemForm explains why the order cannot go ahead.
func problemForm(clinic *clinics.Clinic, p problem, data Submission) Form {
	form := newForm(errorForm, clinic)
	form.Data = data
	properties, order := object(form.Schema, "properties"), []string{}
	for i, paragraph := range problems[p] {
		key := fmt.Sprintf("error_%d", i)
		order = append(order, key)
		properties[key] = map[string]any{"type": "null", "title": " ", "description": paragraph}
	}
	form.UI["ui:order"] = order
	return form
}

// newForm returns a fresh copy of a form with the tags of the clinic.
func newForm(id string, clinic *clinics.Clinic) Form {
	form := Form{ID: id}
	mustRead(id, &form)
	if len(clinic.PatientTags) == 0 {
		return form
	}
	tags := slices.SortedFunc(slices.Values(clinic.PatientTags), func(a, b clinics.PatientTag) int { return cmp.Compare(a.Name, b.Name) })
	ids, names := make([]string, len(tags)), make([]string, len(tags))
	for i, tag := range tags {
		ids[i], names[i] = tag.ID.Hex(), tag.Name
	}
	object(form.Schema, "definitions")["tags"] = map[string]any{"enum": ids, "enumNames": names}
	return form
}

// object returns a member that is an object in every form of the folder; a test opens each of them.
func object(parent map[string]any, name string) map[string]any {
	return parent[name].(map[string]any) //nolint:errcheck // see above
}

// mustRead decodes an embedded file, whose content is fixed when the binary is built.
func mustRead(name string, into any) {
	content, err := formFiles.ReadFile("forms/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		panic(fmt.Sprintf("form %s: %v", name, err))
	}
}
