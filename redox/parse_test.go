package redox

import (
	_ "embed"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

//go:embed testdata/order.json
var sampleOrder []byte

func TestParseTellsBadMessagesApart(t *testing.T) {
	t.Parallel()
	const meta = `"Meta":{"DataModel":"X","EventType":"Y"}`
	malformed, metadata, content := errMalformed.Error(), errMetadata.Error(), errContent.Error()
	tests := map[string]struct {
		body string
		kind errs.Kind
		text string
	}{
		"empty":                       {"", errs.BadRequest, malformed},
		"not JSON":                    {"Meta", errs.BadRequest, malformed},
		"cut off":                     {`{"Meta":{`, errs.BadRequest, malformed},
		"two values":                  {`{` + meta + `} {}`, errs.BadRequest, malformed},
		"array":                       {`[{` + meta + `}]`, errs.BadRequest, malformed},
		"text":                        {`"x"`, errs.BadRequest, malformed},
		"metadata is a text":          {`{"Meta":"x"}`, errs.BadRequest, malformed},
		"model is a number":           {`{"Meta":{"DataModel":1,"EventType":"Y"}}`, errs.BadRequest, malformed},
		"test is a text":              {`{"Meta":{"DataModel":"X","EventType":"Y","Test":"no"}}`, errs.BadRequest, malformed},
		"logs are an object":          {`{"Meta":{"DataModel":"X","EventType":"Y","Logs":{}}}`, errs.BadRequest, malformed},
		"number of Meta too large":    {`{"Meta":{"DataModel":"X","EventType":"Y","Message":{"ID":1e400}}}`, errs.BadRequest, malformed},
		"null":                        {`null`, errs.BadRequest, metadata},
		"no metadata":                 {`{}`, errs.BadRequest, metadata},
		"metadata null":               {`{"Meta":null}`, errs.BadRequest, metadata},
		"no model":                    {`{"Meta":{"EventType":"Y"}}`, errs.BadRequest, metadata},
		"empty model":                 {`{"Meta":{"DataModel":"","EventType":"Y"}}`, errs.BadRequest, metadata},
		"no event":                    {`{"Meta":{"DataModel":"X"}}`, errs.BadRequest, metadata},
		"event null":                  {`{"Meta":{"DataModel":"X","EventType":null}}`, errs.BadRequest, metadata},
		"number too large":            {`{` + meta + `,"n":1e400}`, errs.BadRequest, content},
		"integer of 400 digits":       {`{` + meta + `,"n":` + strings.Repeat("9", 400) + `}`, errs.BadRequest, content},
		"name that cannot be stored":  {`{` + meta + `,"a\u0000b":1}`, errs.BadRequest, content},
		"nested too deeply":           {`{` + meta + `,"n":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, errs.BadRequest, content},
		"nested far too deeply":       {`{` + meta + `,"n":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) + `}`, errs.BadRequest, malformed},
		"small but large when stored": {`{` + meta + `,"n":[` + strings.Repeat("1,", 4<<20) + `1]}`, errs.TooLarge, errTooLarge.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse([]byte(test.body))
			require.Equal(t, test.kind, errs.KindOf(err))
			require.Equal(t, test.text, errs.Public(err))
		})
	}
}

func TestDeepestMessageThatIsTaken(t *testing.T) {
	t.Parallel()
	nested := func(depth int) []byte {
		return []byte(`{"Meta":{"DataModel":"X","EventType":"Y"},"n":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
	}
	_, err := parse(nested(maxDepth))
	require.NoError(t, err)
	_, err = parse(nested(maxDepth + 1))
	require.ErrorIs(t, err, errContent)
}

func TestStoredMessageFieldByFieldAndTypeByType(t *testing.T) {
	t.Parallel()
	message, err := parse(sampleOrder)
	require.NoError(t, err)
	message.ID = bson.NewObjectID()
	document, err := message.encode()
	require.NoError(t, err)

	var stored bson.D
	require.NoError(t, bson.Unmarshal(document, &stored))
	require.Equal(t, bson.E{Key: "_id", Value: message.ID}, stored[0])
	require.Equal(t, bson.E{Key: "meta", Value: bson.D{
		{Key: "DataModel", Value: "Order"},
		{Key: "EventType", Value: "New"},
		{Key: "EventDateTime", Value: "2024-03-01T10:20:30.456Z"},
		{Key: "FacilityCode", Value: "F1"},
		{Key: "Test", Value: true},
		{Key: "Source", Value: bson.D{{Key: "ID", Value: "source-1"}, {Key: "Name", Value: "Clinic EHR"}}},
		{Key: "Destinations", Value: bson.A{bson.D{{Key: "ID", Value: "destination-1"}, {Key: "Name", Value: "Tidepool"}}}},
		{Key: "Logs", Value: bson.A{bson.D{{Key: "ID", Value: "log-1"}, {Key: "AttemptID", Value: "attempt-1"}}}},
		{Key: "Message", Value: bson.D{{Key: "ID", Value: float64(12345678848)}}}, // what 32 bits can hold
		{Key: "Transmission", Value: bson.D{{Key: "ID", Value: float64(77)}}},
	}}, stored[1])
	require.Equal(t, "message", stored[2].Key)
	require.Len(t, stored, 3)

	payload := message.Content
	names := func(raw bson.Raw) (all []string) {
		elements, err := raw.Elements()
		require.NoError(t, err)
		for _, element := range elements {
			all = append(all, element.Key())
		}
		return all
	}
	require.Equal(t, []string{"Meta", "Patient", "Visit", "Order"}, names(payload), "members keep their order")
	require.Equal(t, []string{"ID", "Procedure", "Provider", "ClinicalInfo", "Numbers", "$oid", "a.b", ""}, names(payload.Lookup("Order").Document()))
	require.Equal(t, "in the payload only", payload.Lookup("Meta", "Extension", "kept").StringValue())
	require.Equal(t, int64(12345678901), payload.Lookup("Meta", "Message", "ID").Int64())
	require.Equal(t, bson.TypeNull, payload.Lookup("Visit", "AccountNumber").Type, "nulls are kept")
	require.Equal(t, "507f1f77bcf86cd799439011", payload.Lookup("Order", "$oid").StringValue(), "no value of another type is made")
	require.Equal(t, "1", payload.Lookup("Order", "a.b", "$date", "$numberLong").StringValue())

	var numbers []any
	require.NoError(t, payload.Lookup("Order", "Numbers").Unmarshal(&numbers))
	require.Equal(t, []any{
		int32(1), int32(math.MinInt32), int64(2147483648), int64(math.MaxInt64), float64(math.MaxInt64), 1.0, 1000.0, -0.5,
	}, numbers)
}

func TestMetadataWithLittleInIt(t *testing.T) {
	t.Parallel()
	null := func(names ...string) (d bson.D) {
		for _, name := range names {
			d = append(d, bson.E{Key: name})
		}
		return d
	}
	always := append(bson.D{{Key: "DataModel", Value: "X"}, {Key: "EventType", Value: "Y"}}, null("EventDateTime", "FacilityCode", "Test")...)
	with := func(name string, value any) bson.D {
		return append(append(bson.D{}, always...), bson.E{Key: name, Value: value})
	}
	tests := map[string]struct {
		meta string
		want bson.D
	}{
		"only what is needed": {`"Meta":{"DataModel":"X","EventType":"Y"}`, always},
		"other spelling":      {`"meta":{"datamodel":"X","EVENTTYPE":"Y"}`, always},
		"all null":            {`"Meta":{"DataModel":"X","EventType":"Y","Source":null,"Destinations":null,"Logs":null,"Message":null,"Transmission":null}`, always},
		"empty source":        {`"Meta":{"DataModel":"X","EventType":"Y","Source":{}}`, with("Source", null("ID", "Name"))},
		"source spelled low":  {`"Meta":{"DataModel":"X","EventType":"Y","source":{"id":"s"}}`, with("Source", bson.D{{Key: "ID", Value: "s"}, {Key: "Name"}})},
		"empty lists":         {`"Meta":{"DataModel":"X","EventType":"Y","Logs":[]}`, with("Logs", bson.A{})},
		"empty log":           {`"Meta":{"DataModel":"X","EventType":"Y","Logs":[{}]}`, with("Logs", bson.A{null("ID", "AttemptID")})},
		"empty identifier":    {`"Meta":{"DataModel":"X","EventType":"Y","Message":{}}`, with("Message", null("ID"))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message, err := parse([]byte(`{` + test.meta + `}`))
			require.NoError(t, err)
			encoded, err := bson.Marshal(message.Meta)
			require.NoError(t, err)
			var stored bson.D
			require.NoError(t, bson.Unmarshal(encoded, &stored))
			require.Equal(t, test.want, stored)
		})
	}
}

func TestMessageWithHugeMetadataIsTooLarge(t *testing.T) {
	t.Parallel()
	// Stored once it fits, but metadata are stored twice.
	body := `{"Meta":{"DataModel":"X","EventType":"` + strings.Repeat("y", 9<<20) + `"}}`
	message, err := parse([]byte(body))
	require.NoError(t, err)
	_, err = message.encode()
	require.ErrorIs(t, err, errTooLarge)
}

func FuzzParse(f *testing.F) {
	f.Add(sampleOrder)
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"Meta":null}`, `{"Meta":{"DataModel":"X","EventType":"Y"}}`, `{"meta":{"datamodel":"X","eventtype":"Y"},"META":{}}`,
		`{"Meta":{"DataModel":"X","EventType":"Y"},"n":[1,1.5,1e400,-0,9223372036854775808,"\ud800","\u0000"],"\u0000":{},"":{"":null}}`,
		`{"Meta":{"DataModel":"Order","EventType":"New","Source":{"ID":"s"}},"Patient":{"Identifiers":[null,{"ID":5}],"Demographics":[]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, err := parse(body)
		if err != nil {
			kind := errs.KindOf(err)
			require.True(t, kind == errs.BadRequest || kind == errs.TooLarge, "%v", err)
			return
		}
		require.NoError(t, message.Content.Validate())
		require.True(t, json.Valid(body))
		_, err = message.encode()
		require.True(t, err == nil || errs.Is(err, errs.TooLarge))
		o := order{message.Content}
		for _, read := range []func() error{
			func() error { _, _, err := identity(o, "MR"); return err },
			func() error { _, err := o.procedureCode(); return err },
		} {
			if err := read(); err != nil {
				require.Equal(t, errs.BadRequest, errs.KindOf(err))
			}
		}
	})
}
