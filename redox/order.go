package redox

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// An order is read member by member, so that a member of a wrong type matters only where it is needed. Names are
// recognised in any case, and null is the same as absent.

var reasonMalformedOrder = errs.NewReason("order_malformed")

// order is the payload of a message of the model Order.
type order struct{ content bson.Raw }

// member returns the value at the path. The last of several members of the same name counts. It is the zero value if there
// is none, or null, or if something on the way is not an object.
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
	for i := len(elements) - 1; i >= 0; i-- {
		if strings.EqualFold(elements[i].Key(), name) {
			return present(elements[i].Value())
		}
	}
	return bson.RawValue{}
}

func present(value bson.RawValue) bson.RawValue {
	if value.Type == bson.TypeNull {
		return bson.RawValue{}
	}
	return value
}

// text returns the string at the path, nil if there is none, or an error of kind BadRequest if it is something else.
func (o order) text(path ...string) (*string, error) { return textOf(o.member(path...), path...) }

func textOf(value bson.RawValue, path ...string) (*string, error) {
	if value.IsZero() {
		return nil, nil
	}
	text, ok := value.StringValueOK()
	if !ok {
		return nil, reasonMalformedOrder.Of(errs.BadRequestf("%s of the order is not a string", strings.Join(path, ".")))
	}
	return &text, nil
}

// list returns the elements of the array at the path; none if there is no array.
func (o order) list(path ...string) ([]bson.RawValue, error) {
	value := o.member(path...)
	if value.IsZero() {
		return nil, nil
	}
	array, ok := value.ArrayOK()
	if !ok {
		return nil, reasonMalformedOrder.Of(errs.BadRequestf("%s of the order is not a list", strings.Join(path, ".")))
	}
	return array.Values()
}

// mrn returns the id of the first patient identifier of the type that is not empty; "" if there is none.
func (o order) mrn(idType string) (string, error) {
	identifiers, err := o.list("Patient", "Identifiers")
	if err != nil {
		return "", err
	}
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
		if id != nil && *id != "" {
			return *id, nil
		}
	}
	return "", nil
}

// birthDate returns the date as it was sent, or "".
func (o order) birthDate() (string, error) {
	date, err := o.text("Patient", "Demographics", "DOB")
	if err != nil || date == nil {
		return "", err
	}
	return *date, nil
}

// fullName returns first and last name with one blank between them, or the one that is there; "" if there is none. COMPAT:
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
	return strings.Join(names, " "), nil
}

// procedureCode returns the code that says what the order asks for, or "".
func (o order) procedureCode() (string, error) {
	code, err := o.text("Order", "Procedure", "Code")
	if err != nil || code == nil {
		return "", err
	}
	return *code, nil
}
