package redox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// empties are the ways in which a partner says nothing.
var empties = []any{nil, "", " ", "\t\u00a0", "\u200b", bson.D{}, bson.A{}}

// TestWhatIsSentEmptyHidesNothing: for each member that is read of an order, an empty value of the same name, and before
// another of the same kind in a list, leaves the filled one standing.
func TestWhatIsSentEmptyHidesNothing(t *testing.T) {
	t.Parallel()
	in := func(value any, path ...string) bson.D {
		for i := len(path) - 1; i >= 0; i-- {
			value = bson.D{{Key: path[i], Value: value}}
		}
		return value.(bson.D)
	}
	twice := func(name string, filled, empty any) bson.D {
		return bson.D{{Key: name, Value: filled}, {Key: name, Value: empty}}
	}
	identifier := func(id any) bson.D { return bson.D{{Key: "IDType", Value: "MR"}, {Key: "ID", Value: id}} }
	address := func(o order) (string, error) { return o.email(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) }
	mrn := func(o order) (string, error) { return o.mrn("MR") }
	born := func(date string, rest ...bson.E) bson.D {
		return bson.D{{Key: "Patient", Value: bson.D{{Key: "Demographics", Value: append(bson.D{{Key: "DOB", Value: date}}, rest...)}}}}
	}
	tests := map[string]struct {
		content func(empty any) bson.D
		read    func(order) (string, error)
		want    string
		// texts is true where an empty list or object is a member of a wrong type.
		texts bool
	}{
		"id among identifiers": {func(e any) bson.D { return in(bson.A{identifier(e), identifier("1")}, "Patient", "Identifiers") }, mrn, "1", true},
		"whole identifier":     {func(e any) bson.D { return in(bson.A{e, identifier("1")}, "Patient", "Identifiers") }, mrn, "1", false},
		"type of identifier": {func(e any) bson.D {
			return in(bson.A{append(twice("IDType", "MR", e), bson.E{Key: "ID", Value: "1"})}, "Patient", "Identifiers")
		}, mrn, "1", false},
		"id twice": {func(e any) bson.D {
			return in(bson.A{append(twice("ID", "1", e), bson.E{Key: "IDType", Value: "MR"})}, "Patient", "Identifiers")
		}, mrn, "1", false},
		"identifiers twice":  {func(e any) bson.D { return in(twice("Identifiers", bson.A{identifier("1")}, e), "Patient") }, mrn, "1", false},
		"patient twice":      {func(e any) bson.D { return twice("Patient", in("2008-01-06", "Demographics", "DOB"), e) }, order.birthDate, "2008-01-06", false},
		"demographics twice": {func(e any) bson.D { return in(twice("Demographics", in("2008-01-06", "DOB"), e), "Patient") }, order.birthDate, "2008-01-06", false},
		"birth date twice":   {func(e any) bson.D { return in(twice("DOB", "2008-01-06", e), "Patient", "Demographics") }, order.birthDate, "2008-01-06", false},
		"first name twice":   {func(e any) bson.D { return in(twice("FirstName", "Ann", e), "Patient", "Demographics") }, order.fullName, "Ann", false},
		"last name twice":    {func(e any) bson.D { return in(twice("LastName", "Bee", e), "Patient", "Demographics") }, order.fullName, "Bee", false},
		"empty first name": {func(e any) bson.D {
			return born("2008-01-06", bson.E{Key: "FirstName", Value: e}, bson.E{Key: "LastName", Value: "Bee"})
		}, order.fullName, "Bee", true},
		"empty last name": {func(e any) bson.D {
			return born("2008-01-06", bson.E{Key: "FirstName", Value: "Ann"}, bson.E{Key: "LastName", Value: e})
		}, order.fullName, "Ann", true},
		"procedure twice":      {func(e any) bson.D { return in(twice("Procedure", in("P1", "Code"), e), "Order") }, order.procedureCode, "P1", false},
		"procedure code twice": {func(e any) bson.D { return in(twice("Code", "P1", e), "Order", "Procedure") }, order.procedureCode, "P1", false},
		"address of an adult": {func(e any) bson.D {
			return born("1980-01-01", bson.E{Key: "EmailAddresses", Value: bson.A{e, "a@example.com"}})
		}, address, "a@example.com", false},
		"addresses of an adult twice": {func(e any) bson.D {
			return born("1980-01-01", twice("EmailAddresses", bson.A{"a@example.com"}, e)...)
		}, address, "a@example.com", false},
		"address for a child": {func(e any) bson.D {
			return append(born("2020-01-01"), in(bson.A{e, "g@example.com"}, "Visit", "Guarantor", "EmailAddresses")...)
		}, address, "g@example.com", false},
		"guarantor twice": {func(e any) bson.D {
			return append(born("2020-01-01"), in(twice("Guarantor", in(bson.A{"g@example.com"}, "EmailAddresses"), e), "Visit")...)
		}, address, "g@example.com", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, empty := range empties {
				_, isDocument := empty.(bson.D)
				_, isList := empty.(bson.A)
				if test.texts && (isDocument || isList) {
					continue
				}
				content, err := bson.Marshal(test.content(empty))
				require.NoError(t, err)
				got, err := test.read(order{content})
				require.NoError(t, err, "%#v", empty)
				require.Equal(t, test.want, got, "%#v", empty)
			}
		})
	}
}

func TestMetadataThatAreEmptyHideNothing(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for _, empty := range []*string{nil, text(""), text(" "), text("\u200b")} {
		require.Equal(t, "log-2", Meta{Logs: Logs{{ID: empty}, {ID: text("log-2")}, {ID: text("log-3")}}}.logID())
		require.Empty(t, Meta{Logs: Logs{{ID: empty}}}.logID())
		document, err := bson.Marshal(bson.M{"meta": bson.M{"Source": bson.M{"ID": empty}}, "message": bson.M{}})
		require.NoError(t, err)
		message, odd := readMessage(document)
		require.Empty(t, message.SourceID)
		require.Empty(t, odd)
	}
}
