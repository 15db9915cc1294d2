package api_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/api"
)

// published returns the interface document as clients read it.
func published(t testing.TB) *openapi3.T {
	t.Helper()
	document, err := api.LoadDocument()
	require.NoError(t, err)
	spec, err := openapi3.NewLoader().LoadFromData(document.JSON())
	require.NoError(t, err)
	require.NoError(t, spec.Validate(t.Context()))
	return spec
}

// eachOperation calls visit with every operation and all its parameters.
func eachOperation(spec *openapi3.T, visit func(o *openapi3.Operation, parameters []*openapi3.Parameter)) {
	for _, item := range spec.Paths.Map() {
		for _, o := range item.Operations() {
			var parameters []*openapi3.Parameter
			for _, ref := range slices.Concat(item.Parameters, o.Parameters) {
				parameters = append(parameters, ref.Value)
			}
			visit(o, parameters)
		}
	}
}

// TestEveryTextAndListOfARequestIsBounded is the lint of the interface document.
func TestEveryTextAndListOfARequestIsBounded(t *testing.T) {
	t.Parallel()
	var problems []string
	checked := 0
	eachOperation(published(t), func(o *openapi3.Operation, parameters []*openapi3.Parameter) {
		note := func(place, what string) { problems = append(problems, o.OperationID+" "+place+": "+what) }
		for _, p := range parameters {
			walkSchema(p.Schema.Value, p.Name, func(s *openapi3.Schema, place string) {
				checked++
				if what := unbounded(s, true); what != "" {
					note(place, what)
				}
			})
		}
		if o.RequestBody == nil {
			return
		}
		for media, content := range o.RequestBody.Value.Content {
			require.NotNil(t, content.Schema, o.OperationID)
			walkSchema(content.Schema.Value, media, func(s *openapi3.Schema, place string) {
				checked++
				if what := unbounded(s, false); what != "" {
					note(place, what)
				}
			})
		}
	})
	require.Empty(t, problems)
	require.Greater(t, checked, 1000, "the walk goes into bodies")
}

// unbounded says which bound the schema lacks. A pattern is none: what it repeats may go on for ever.
func unbounded(s *openapi3.Schema, parameter bool) string {
	switch {
	case s.Type.Is("string") && s.MaxLength == nil && s.Enum == nil:
		return "maxLength is missing"
	case s.Type.Is("array") && s.MaxItems == nil:
		return "maxItems is missing"
	case s.Type.Is("object") && (len(s.Properties) == 0 || s.AdditionalProperties.Schema != nil) && s.MaxProps == nil:
		return "maxProperties is missing"
	case parameter && s.Type.Is("integer") && (s.Min == nil || s.Max == nil):
		return "minimum or maximum is missing"
	case s.Type == nil && len(s.AllOf) == 0 && len(s.Properties) == 0:
		return "anything is allowed"
	default:
		return ""
	}
}

// walkSchema calls visit with the schema and everything inside. A place is written like members of a value.
func walkSchema(s *openapi3.Schema, place string, visit func(s *openapi3.Schema, place string)) {
	visit(s, place)
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		walkSchema(part.Value, place, visit)
	}
	for name, property := range s.Properties {
		walkSchema(property.Value, place+"/"+name, visit)
	}
	if s.Items != nil {
		walkSchema(s.Items.Value, place+"/0", visit)
	}
	if s.AdditionalProperties.Schema != nil {
		walkSchema(s.AdditionalProperties.Schema.Value, place+"/name", visit)
	}
}

// TestEveryOperationLimitsItsBody: only Redox needs much.
func TestEveryOperationLimitsItsBody(t *testing.T) {
	t.Parallel()
	spec := published(t)
	size := func(extensions map[string]any) (int, bool) {
		value, ok := extensions["x-max-body"].(float64)
		return int(value), ok && value > 0 && value == float64(int(value))
	}
	normal, ok := size(spec.Extensions)
	require.True(t, ok)
	require.LessOrEqual(t, normal, 1<<18)
	eachOperation(spec, func(o *openapi3.Operation, _ []*openapi3.Parameter) {
		if _, own := o.Extensions["x-max-body"]; !own {
			return
		}
		limit, ok := size(o.Extensions)
		require.True(t, ok, o.OperationID)
		if o.OperationID == "ProcessEHRMessage" {
			require.Equal(t, 16<<20, limit)
			return
		}
		require.LessOrEqual(t, limit, 1<<20, o.OperationID)
	})
}

// TestPatternsMeanTheSameEverywhere: in Go, in JavaScript without flags, and in Python.
func TestPatternsMeanTheSameEverywhere(t *testing.T) {
	t.Parallel()
	// Classes of characters that differ between languages, what only some of them have, and characters beyond ASCII.
	special := regexp.MustCompile(`\[\[:|\\[pPdDwWsSbBAzZQEGuUN]|\(\?[^:]|[^ -~]`)
	seen := map[string]bool{}
	spec := published(t)
	for _, schema := range spec.Components.Schemas {
		walkSchema(schema.Value, "", func(s *openapi3.Schema, _ string) { seen[s.Pattern] = true })
	}
	eachOperation(spec, func(_ *openapi3.Operation, parameters []*openapi3.Parameter) {
		for _, p := range parameters {
			walkSchema(p.Schema.Value, "", func(s *openapi3.Schema, _ string) { seen[s.Pattern] = true })
		}
	})
	require.Greater(t, len(seen), 8)
	for pattern := range seen {
		require.False(t, special.MatchString(pattern), pattern)
		_, err := regexp.Compile(pattern)
		require.NoError(t, err, pattern)
	}
}

// TestPortablePatternsRefuseNothingThatIsAccepted compares each with the pattern that it stands for: beyond ASCII it may
// accept more, but within they agree.
func TestPortablePatternsRefuseNothingThatIsAccepted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("clinic.v1.yaml")
	require.NoError(t, err)
	pairs := regexp.MustCompile(`(?m)^ +pattern: (.+)\n +x-portable-pattern: (.+)$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, pairs, 12)
	for _, pair := range pairs {
		strict, portable := regexp.MustCompile(pair[1]), regexp.MustCompile(pair[2])
		for c := range rune(128) {
			for _, form := range []string{"%c", "%ca", "a%c", "a%ca", "<%c", "<1%c", "<1.%c", ">=0.%c1"} {
				sample := fmt.Sprintf(form, c)
				require.Equal(t, strict.MatchString(sample), portable.MatchString(sample), "%q: %s", sample, pair[2])
			}
		}
		for _, sample := range []string{"東京", "Ünï ñ", "١٢٣", "𝒳 x", "<0.12"} {
			require.True(t, !strict.MatchString(sample) || portable.MatchString(sample), "%q: %s", sample, pair[2])
		}
	}
}

// TestNothingStandsBesideAReference: tools do not read it.
func TestNothingStandsBesideAReference(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("clinic.v1.yaml")
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	found := 0
	for i, line := range lines {
		trimmed := strings.TrimPrefix(strings.TrimSpace(line), "- ")
		if !strings.HasPrefix(trimmed, "$ref:") {
			continue
		}
		found++
		column := strings.Index(line, "$ref:")
		next := lines[i+1]
		require.False(t, strings.TrimSpace(next) != "" && indent(next) == column && !strings.HasPrefix(strings.TrimSpace(next), "- "), "line %d: %s", i+2, next)
		if previous := lines[i-1]; !strings.Contains(line, "- $ref") {
			require.Less(t, indent(previous), column, "line %d: %s", i, previous)
		}
	}
	require.Greater(t, found, 500)
}

// TestNamesOfValuesDiffer: generators that build names from GMT, GMT+0, GMT-0 and GMT0 make one of the four.
func TestNamesOfValuesDiffer(t *testing.T) {
	t.Parallel()
	symbols := regexp.MustCompile(`[^a-z0-9]`)
	for name, schema := range published(t).Components.Schemas {
		walkSchema(schema.Value, name, func(s *openapi3.Schema, place string) {
			given, _ := s.Extensions["x-enum-varnames"].([]any)
			names := map[string]bool{}
			for i, value := range s.Enum {
				text := fmt.Sprint(value)
				if given != nil {
					require.Len(t, given, len(s.Enum), place)
					text = fmt.Sprint(given[i])
				}
				names[symbols.ReplaceAllString(strings.ToLower(text), "")] = true
			}
			require.Len(t, names, len(s.Enum), place)
		})
	}
}

// TestEveryPartnerOperationSaysItsCredentialAndItsBody: partners have only the document.
func TestEveryPartnerOperationSaysItsCredentialAndItsBody(t *testing.T) {
	t.Parallel()
	schemes := map[string]string{}
	bodies := map[string]string{}
	spec := published(t)
	eachOperation(spec, func(o *openapi3.Operation, _ []*openapi3.Parameter) {
		if o.Security == nil {
			return
		}
		for _, requirement := range *o.Security {
			schemes[o.OperationID] = strings.Join(slices.Collect(maps.Keys(requirement)), ",")
		}
		if o.RequestBody != nil {
			bodies[o.OperationID] = o.RequestBody.Value.Content.Get("application/json").Schema.Ref
		}
	})
	require.Equal(t, map[string]string{
		"ProcessEHRMessage": "redoxToken", "XealthPreorder": "xealthToken", "XealthNotification": "xealthToken",
		"XealthGetPrograms": "xealthToken", "XealthGetProgramUrl": "xealthToken", "ViewPDFReport": "reportToken",
	}, schemes, "the token of VerifyEndpoint stands in its body")
	schema := func(name string) string { return "#/components/schemas/" + name }
	require.Equal(t, map[string]string{
		"ProcessEHRMessage": schema("redoxMessage.v1"), "VerifyEndpoint": schema("redoxVerification.v1"),
		"XealthPreorder": schema("xealthPreorder.v1"), "XealthNotification": schema("xealthNotification.v1"),
		"XealthGetPrograms": schema("xealthProgramRequest.v1"), "XealthGetProgramUrl": schema("xealthProgramRequest.v1"),
	}, bodies)
	for name := range schemes {
		scheme := spec.Components.SecuritySchemes[schemes[name]]
		require.NotNil(t, scheme, name)
	}
}

// TestRequestsHaveShapesOfTheirOwn where answers always have members that the service fills in.
func TestRequestsHaveShapesOfTheirOwn(t *testing.T) {
	t.Parallel()
	schemas := published(t).Components.Schemas
	require.ElementsMatch(t, []string{"name", "preferredBgUnits"}, schemas["clinicRequest.v1"].Value.Required)
	require.Contains(t, schemas["clinic.v1"].Value.Required, "createdTime")
	require.Equal(t, []string{"name"}, schemas["patientTagRequest.v1"].Value.Required)
	require.Equal(t, []string{"id", "name"}, schemas["siteRequest.v1"].Value.Required, "the id of a site has to be sent")
	require.Nil(t, schemas["clinic.v1"].Value.Properties["website"].Value.MaxLength, "answers are as they are stored")
	require.EqualValues(t, 2048, *schemas["clinicRequest.v1"].Value.Properties["website"].Value.MaxLength)
	siteID := schemas["siteId.v1"].Value
	require.True(t, siteID.Type.Is("string") && siteID.AllOf == nil)
	for name, schema := range schemas {
		for extension := range schema.Value.Extensions {
			require.False(t, strings.HasPrefix(extension, "x-go-") || strings.HasPrefix(extension, "x-omit"), "%s: %s", name, extension)
		}
	}
}
