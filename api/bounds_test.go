package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestEveryBoundHolds sends every operation one value above each bound that the document names, once for each place in path,
// query and body. The answer is 400, names the rule and does not repeat the value.
func TestEveryBoundHolds(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	operations, parametersOf := map[string]*openapi3.Operation{}, map[string][]*openapi3.Parameter{}
	eachOperation(published(t), func(o *openapi3.Operation, parameters []*openapi3.Parameter) {
		operations[o.OperationID], parametersOf[o.OperationID] = o, parameters
	})
	for _, row := range accessTable(t) {
		if isOpenRow(row) {
			continue // what partners send is bounded as a whole
		}
		t.Run(row["operationId"], func(t *testing.T) {
			t.Parallel()
			scene := newScene(t, app.Store, row["path"])
			operation, parameters := operations[row["operationId"]], parametersOf[row["operationId"]]
			caller := scene.caller(allowedColumn(t, row))
			for _, p := range parameters {
				if p.In == openapi3.ParameterInPath && caller == testkit.Service && p.Schema.Value.MaxLength != nil {
					long := newScene(t, app.Store, strings.Replace(row["path"], "{"+p.Name+"}", strings.Repeat("x", int(*p.Schema.Value.MaxLength)+1), 1))
					refused(t, app.Call(t, caller, row["method"], long.path, nil), p.Name)
				}
				if p.In != openapi3.ParameterInQuery {
					continue
				}
				for place, value := range oversized(p.Schema.Value) {
					query := required(parameters)
					query.Set(p.Name, queryText(value))
					refused(t, app.Call(t, caller, row["method"], scene.path+"?"+query.Encode(), nil), p.Name+place)
				}
			}
			if operation.RequestBody == nil {
				return
			}
			schema := operation.RequestBody.Value.Content.Get("application/json").Schema.Value
			for place, value := range oversized(schema) {
				path := scene.path
				if query := required(parameters); len(query) > 0 {
					path += "?" + query.Encode()
				}
				response := app.Call(t, caller, row["method"], path, value)
				refused(t, response, place)
				if place != "" && response.Status == http.StatusBadRequest {
					require.Contains(t, response.Object(t)["message"], `Error at "`+place+`"`)
				}
			}
		})
	}
}

func refused(t *testing.T, response testkit.Response, place string) {
	t.Helper()
	if response.Status == http.StatusRequestEntityTooLarge {
		return // so many that the body as a whole is too large
	}
	require.Equal(t, http.StatusBadRequest, response.Status, "%s: %.300s", place, response.Body)
	require.Regexp(t, `max(imum)?|at most`, response.Object(t)["message"], place)
	require.Less(t, len(response.Body), 400, "the value must not come back: %s", place)
}

// allowedColumn returns a kind of caller who may call the operation.
func allowedColumn(t *testing.T, row map[string]string) string {
	t.Helper()
	for _, column := range []string{"backend_service", "clinic_admin", "clinic_member", "self", "any_user"} {
		if decide(row, column) == "allow" {
			return column
		}
	}
	require.Fail(t, "nobody may call "+row["operationId"])
	return ""
}

// required returns a valid value for each query parameter that must be there.
func required(parameters []*openapi3.Parameter) url.Values {
	values := url.Values{}
	for _, p := range parameters {
		if p.In == openapi3.ParameterInQuery && (p.Required || p.Extensions["x-optional-beside"] != nil) {
			values.Set(p.Name, queryText(sample(p.Schema.Value)))
		}
	}
	return values
}

func queryText(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, ",")
}

// samples of texts that patterns accept. The first that fits is taken.
var samples = []string{"x", "1d", "cgm", "<1", "+a", "0123456789", "0123456789abcdef01234567", "2030-01-01T00:00:00Z", "2001-02-03", "a@example.com", "example.com", "AAAA-BBBB-CCCC"}

// sample returns a small valid value.
func sample(s *openapi3.Schema) any {
	switch {
	case len(s.AllOf) > 0:
		return sample(s.AllOf[0].Value)
	case s.Enum != nil:
		return s.Enum[0]
	case s.Type.Is("string"):
		for _, text := range samples {
			if s.Format == "" || (s.Format == "date-time") == strings.Contains(text, "T00") && (s.Format == "date") == (len(text) == 10 && text[4] == '-') &&
				(s.Format == "email") == strings.Contains(text, "@") && (s.Format == "hostname") == (text == "example.com") {
				if s.VisitJSON(text) == nil {
					return text
				}
			}
		}
		return "x"
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 1
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("array"):
		return repeated(s.Items.Value, int(max(s.MinItems, 0)))
	default:
		value := map[string]any{}
		for _, name := range s.Required {
			value[name] = sample(s.Properties[name].Value)
		}
		return value
	}
}

func repeated(item *openapi3.Schema, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = sample(item)
	}
	return list
}

// oversized returns valid values of the schema but for one place each, which is above its bound.
func oversized(s *openapi3.Schema) map[string]any {
	values := map[string]any{}
	if len(s.AllOf) > 0 {
		return oversized(s.AllOf[0].Value)
	}
	switch {
	case s.Type.Is("string") && s.MaxLength != nil && s.Enum == nil:
		values[""] = strings.Repeat("x", int(*s.MaxLength)+1)
	case s.Type.Is("integer") && s.Max != nil:
		values[""] = json.Number(fmt.Sprint(int64(*s.Max) + 1))
	case s.Type.Is("array"):
		values[""] = repeated(s.Items.Value, int(*s.MaxItems)+1)
		for place, value := range oversized(s.Items.Value) {
			list := repeated(s.Items.Value, max(int(s.MinItems), 1))
			list[0] = value
			values["/0"+place] = list
		}
	}
	for name, property := range s.Properties {
		for place, value := range oversized(property.Value) {
			outer, _ := sample(s).(map[string]any)
			outer[name] = value
			values["/"+name+place] = outer
		}
	}
	if inner := s.AdditionalProperties.Schema; inner != nil {
		for place, value := range oversized(inner.Value) {
			values["/name"+place] = map[string]any{"name": value}
		}
	}
	if s.MaxProps != nil {
		outer := map[string]any{}
		for i := range int(*s.MaxProps) + 1 {
			outer[fmt.Sprint(i)] = map[string]any{}
			if inner := s.AdditionalProperties.Schema; inner != nil {
				outer[fmt.Sprint(i)] = sample(inner.Value)
			}
		}
		values[""] = outer
	}
	return values
}
