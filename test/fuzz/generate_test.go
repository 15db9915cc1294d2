package fuzz_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// generator makes values that fit a schema, and spoils some of them.
type generator struct {
	*rand.Rand
	ids map[string][]string // real ones, by the name of a parameter or member
}

// odd are texts that have broken services.
var odd = []string{
	"", " ", "\u200b", "\x00", "a\nb", "\ufeffx", "null", "true", "-1", "1e400", "../..", "$ne", "a.b", "%", "%00", "+", ";", "{}", "[]", "Å𝔘💩", "\u202edcba",
	strings.Repeat("x", 300), strings.Repeat("ä", 3000), "9999-12-31T23:59:59Z", "0000-01-01", "2020-02-31", "ffffffffffffffffffffffff", "<script>", `"`, `\`, "(((((", "[a-z]*+",
}

// one reports true once in n times.
func (g generator) one(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g generator, list []T) T { return list[g.IntN(len(list))] }

// value returns a value for the schema. Depth bounds lists and optional members.
func (g generator) value(name string, ref *openapi3.SchemaRef, depth int) any {
	if g.one(25) {
		return g.anything()
	}
	if ref == nil || ref.Value == nil {
		return g.anything()
	}
	schema := ref.Value
	if known := g.ids[name]; len(known) > 0 && !g.one(6) {
		return pick(g, known)
	}
	switch {
	case len(schema.Enum) > 0:
		return pick(g, schema.Enum)
	case len(schema.AllOf) > 0:
		return g.value(name, schema.AllOf[0], depth)
	case schema.Type.Is("object"):
		return g.object(schema, depth)
	case schema.Type.Is("array"):
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.value(name, schema.Items, depth-1))
		}
		return list
	case schema.Type.Is("boolean"):
		return g.one(2)
	case schema.Type.Is("integer"):
		return pick(g, []any{0, 1, 2, 10, -1, 1001, json.Number("2147483648"), json.Number("9223372036854775808"), 1.5})
	case schema.Type.Is("number"):
		return pick(g, []any{0, 0.5, -0.5, 1e308, json.Number("1e-320"), 5.55, 100})
	case schema.Example != nil && !g.one(3):
		return schema.Example
	default:
		return g.text(schema)
	}
}

func (g generator) object(schema *openapi3.Schema, depth int) any {
	object := map[string]any{}
	required := map[string]bool{}
	for _, name := range schema.Required {
		required[name] = true
	}
	for name, property := range schema.Properties {
		if required[name] && !g.one(30) || depth > 0 && g.one(2) {
			object[name] = g.value(name, property, depth-1)
		}
	}
	if extra := schema.AdditionalProperties.Schema; extra != nil {
		object[pick(g, []string{"1d", "14d", "30d", pick(g, odd)})] = g.value("", extra, depth-1)
	}
	if g.one(20) {
		object[pick(g, odd)] = g.anything()
	}
	return object
}

func (g generator) text(schema *openapi3.Schema) string {
	switch {
	case g.one(4):
		return pick(g, odd)
	case schema.Format == "date":
		return pick(g, []string{"2001-02-03", "1900-01-01", "2024-02-29"})
	case schema.Format == "date-time":
		return pick(g, []string{"2020-01-02T03:04:05Z", "2020-01-02T03:04:05.678+02:00", "9999-12-31T23:59:59Z"})
	case strings.Contains(schema.Pattern, "{24}"):
		return pick(g, []string{"0123456789abcdef01234567", "000000000000000000000000"})
	case strings.Contains(schema.Pattern, "{10}"):
		return "0123456789"
	case strings.HasPrefix(schema.Pattern, "^(>="):
		return pick(g, []string{">0.5", "<=1", ">=-3"})
	default:
		return pick(g, []string{"Ann", "ann@example.com", "+fullName", "-lastData", "14d", "cgm", "x"})
	}
}

func (g generator) anything() any {
	return pick(g, []any{nil, true, 0, -1, json.Number("1e999"), pick(g, odd), []any{}, []any{nil}, map[string]any{}, map[string]any{"$gt": ""}, []any{[]any{[]any{}}}})
}

// body encodes a value, at times with a fault of the encoding.
func (g generator) body(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return "{"
	}
	text := string(encoded)
	switch g.IntN(40) {
	case 0:
		return text[:g.IntN(len(text)+1)]
	case 1:
		return text + text
	case 2:
		return strings.ReplaceAll(text, "a", "\xff")
	case 3:
		return strings.ToUpper(text)
	case 4:
		return strings.Repeat("[", 20_000)
	default:
		return text
	}
}
