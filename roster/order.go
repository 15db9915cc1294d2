package roster

import (
	"bytes"
	"cmp"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// order is the order of a list. Ties are broken by ascending record id, so that pages never overlap.
type order struct {
	path      string // of the value
	flag      string // path of the flag that says whether the value is known, "" for none
	present   bool   // whether patients with a value come before those without
	direction int    // 1 or -1
	collated  bool   // whether to compare as names: without case and accents
	// index gives this order, of the patients whose value is known if it is partial. Its name is "" if there is none.
	index store.Index
}

// nameOrder is by full name.
func nameOrder(direction int) order {
	o := order{path: "fullName", direction: direction, collated: true}
	o.index = store.Index{Name: "PatientsByName" + suffix(direction), Keys: o.keys(), Locale: store.IgnoreCaseAndAccents()}
	return o
}

// fieldOrder is by any other field.
func fieldOrder(f field, s scope, direction int) order {
	o := order{path: f.path(s), flag: f.flag(s), present: f.known == byPresent, direction: direction}
	if f.isIndexed(s) {
		name := "PatientsBy-" + string(s.device)
		if f.place == inPeriod {
			name += "-" + s.period
		}
		o.index = store.Index{Name: name + "-" + f.name + suffix(direction), Keys: o.keys(), Partial: bson.D{{Key: o.flag, Value: true}}}
	}
	return o
}

func suffix(direction int) string {
	if direction < 0 {
		return "Desc"
	}
	return ""
}

func (o order) keys() bson.D {
	return append(bson.D{{Key: "clinicId", Value: 1}}, o.sort()...)
}

// sort returns the order without the part that tells known values from unknown ones.
func (o order) sort() bson.D {
	return bson.D{{Key: o.path, Value: o.direction}, {Key: "_id", Value: 1}}
}

// rank is the place of a patient in a list, as far as the stored values decide it.
type rank struct {
	exact bool // whether a search has found just this one
	known int8 // how sure it is that there is a value: greater comes first
	value sortValue
	id    bson.ObjectID
}

// sortValue is a stored value, reduced to what its order needs.
type sortValue struct {
	class  int8 // the order of the database between types
	number float64
	text   string
}

// classes is the order of the database between types of values. A missing value compares as null.
var classes = map[bson.Type]int8{
	0: 1, bson.TypeUndefined: 1, bson.TypeNull: 1,
	bson.TypeInt32: 2, bson.TypeInt64: 2, bson.TypeDouble: 2, bson.TypeDecimal128: 2,
	bson.TypeString: 3, bson.TypeSymbol: 3, bson.TypeEmbeddedDocument: 4, bson.TypeArray: 5, bson.TypeBinary: 6,
	bson.TypeObjectID: 7, bson.TypeBoolean: 8, bson.TypeDateTime: 9, bson.TypeTimestamp: 10, bson.TypeRegex: 11,
}

func newSortValue(v bson.RawValue) sortValue {
	c := sortValue{class: classes[v.Type]}
	switch v.Type {
	case bson.TypeString:
		c.text = v.StringValue()
	case bson.TypeDateTime:
		c.number = float64(v.DateTime()) // exact for the next 280,000 years
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble:
		c.number, _ = v.AsFloat64OK()
	case bson.TypeBoolean:
		if v.Boolean() {
			c.number = 1
		}
	}
	return c
}

func (c sortValue) compare(other sortValue) int {
	return cmp.Or(cmp.Compare(c.class, other.class), cmp.Compare(c.number, other.number), cmp.Compare(c.text, other.text))
}

// rank returns the place of a stored patient, of which only the fields that projection names need be there.
func (o order) rank(record bson.Raw) rank {
	r := rank{id: record.Lookup("_id").ObjectID(), value: newSortValue(lookup(record, o.path))}
	var flag sortValue
	if o.flag != "" {
		flag = newSortValue(lookup(record, o.flag))
	}
	r.known = o.known(r.value, flag)
	return r
}

// known says how sure it is that there is a value, from it and its flag, if the order has one.
func (o order) known(value, flag sortValue) int8 {
	switch {
	case o.flag != "":
		return flag.class + int8(flag.number)
	case o.present && value.class > classes[bson.TypeNull]:
		return 1
	default:
		return 0
	}
}

// compare says which of two places comes first.
func (o order) compare(a, b rank) int {
	return cmp.Or(
		exactFirst(a.exact, b.exact),
		cmp.Compare(b.known, a.known),
		o.direction*a.value.compare(b.value),
		bytes.Compare(a.id[:], b.id[:]),
	)
}

// exactFirst compares two of which one, or both, or none, is exactly what was searched for.
func exactFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// projection names the fields that rank reads.
func (o order) projection() bson.D {
	projection := bson.D{{Key: withoutIndexes(o.path), Value: 1}}
	if o.flag != "" {
		projection = append(projection, bson.E{Key: o.flag, Value: 1})
	}
	return projection
}
