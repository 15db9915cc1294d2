package redox

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/nonblank"
)

// An order is read member by member, so that a member of a wrong type matters only where it is needed. Names are
// recognised in any case, null is the same as absent, and what is empty never hides what is filled (see says).

var reasonMalformedOrder = errs.NewReason("order_malformed")

// order is the payload of a message of the model Order.
type order struct{ content bson.Raw }

// member returns the value at the path. Of several members of the same name the last that says something counts, or the last
// if none does. It is the zero value if there is none, or null, or if something on the way is not an object.
func (o order) member(path ...string) bson.RawValue {
	value := bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: o.content}
	for _, name := range path {
		value = memberOf(value, name)
	}
	return value
}

func memberOf(object bson.RawValue, name string) bson.RawValue {
	document, ok := object.DocumentOK()
	if !ok {
		return bson.RawValue{}
	}
	elements, err := document.Elements()
	if err != nil {
		return bson.RawValue{}
	}
	var last bson.RawValue
	for i := len(elements) - 1; i >= 0; i-- {
		if !strings.EqualFold(elements[i].Key(), name) {
			continue
		}
		value := present(elements[i].Value())
		if says(value) {
			return value
		}
		if last.IsZero() {
			last = value
		}
	}
	return last
}

func present(value bson.RawValue) bson.RawValue {
	if value.Type == bson.TypeNull {
		return bson.RawValue{}
	}
	return value
}

// says reports whether a value says something: null, blank texts, and lists and objects without elements do not.
func says(value bson.RawValue) bool {
	switch value.Type {
	case 0, bson.TypeNull:
		return false
	case bson.TypeString:
		text, _ := value.StringValueOK()
		return nonblank.Is(text)
	case bson.TypeArray, bson.TypeEmbeddedDocument:
		elements, err := bson.Raw(value.Value).Elements()
		return err == nil && len(elements) > 0
	default:
		return true
	}
}

// text returns the string at the path, nil if there is none, or an error of kind BadRequest if it is something else.
func (o order) text(path ...string) (*string, error) { return textOf(o.member(path...), path...) }

func textOf(value bson.RawValue, path ...string) (*string, error) {
	if value.IsZero() {
		return nil, nil
	}
	text, ok := value.StringValueOK()
	if !ok {
		return nil, reasonMalformedOrder.Of(errs.BadRequestf("%s of the order is not a string", name(path)))
	}
	return &text, nil
}

// name returns a path as error texts and the log show it.
func name(path []string) string { return strings.Join(path, ".") }

// list returns the elements of the array at the path; none if there is no array.
func (o order) list(path ...string) ([]bson.RawValue, error) {
	value := o.member(path...)
	if value.IsZero() {
		return nil, nil
	}
	array, ok := value.ArrayOK()
	if !ok {
		return nil, reasonMalformedOrder.Of(errs.BadRequestf("%s of the order is not a list", name(path)))
	}
	return array.Values()
}

// mrn returns the id of the first patient identifier of the type that says something; "" if there is none.
func (o order) mrn(idType string) (string, error) {
	identifiers, err := o.list("Patient", "Identifiers")
	if err != nil {
		return "", err
	}
	return firstOfType(identifiers, idType)
}

// firstOfType returns the id of the first identifier of the type that says something; "" if there is none.
func firstOfType(identifiers []bson.RawValue, idType string) (string, error) {
	for _, identifier := range identifiers {
		kind, err := textOf(memberOf(identifier, "IDType"), "Patient.Identifiers.IDType")
		if err != nil {
			return "", err
		}
		if kind == nil || !strings.EqualFold(*kind, idType) {
			continue
		}
		id, err := textOf(memberOf(identifier, "ID"), "Patient.Identifiers.ID")
		if err != nil {
			return "", err
		}
		if id != nil && nonblank.Is(*id) {
			return *id, nil
		}
	}
	return "", nil
}

// birthDate returns the date as it was sent, or "".
func (o order) birthDate() (string, error) { return o.filled("Patient", "Demographics", "DOB") }

// fullName returns first and last name with one blank between them, or the one that is filled; "" if there is none. COMPAT:
// two empty names make a blank, which counts as a name.
func (o order) fullName() (string, error) {
	var names []string
	for _, member := range []string{"FirstName", "LastName"} {
		name, err := o.text("Patient", "Demographics", member)
		if err != nil {
			return "", err
		}
		if name != nil {
			names = append(names, *name)
		}
	}
	if filled := nonblank.Only(names); len(filled) > 0 {
		names = filled
	}
	return strings.Join(names, " "), nil
}

// procedureCode returns the code that says what the order asks for, or "".
func (o order) procedureCode() (string, error) { return o.filled("Order", "Procedure", "Code") }

// filled returns the text at the path, "" if it says nothing.
func (o order) filled(path ...string) (string, error) {
	text, err := o.text(path...)
	if err != nil || text == nil {
		return "", err
	}
	return nonblank.First(*text), nil
}
