package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/internal/observe"
)

//go:embed clinic.v1.yaml
var documentYAML []byte

// Document is the interface document, compiled once at start into what the request pipeline needs.
type Document struct {
	spec       *openapi3.T
	json       []byte
	operations map[route]*operation
	paths      map[string]bool
}

// route identifies an operation by its method and its path in the form that the router uses (/v1/clinics/:clinicId).
type route struct{ method, path string }

type operation struct {
	id     string
	access auth.Access
	path   []*openapi3.Parameter
	query  []*openapi3.Parameter
	body   *openapi3.RequestBody
	route  *routers.Route
}

var pathParameter = regexp.MustCompile(`\{([^}]+)\}`)

// LoadDocument compiles the embedded document. It returns an error if the document is not valid or leaves open who may
// call an operation.
func LoadDocument() (*Document, error) {
	spec, err := openapi3.NewLoader().LoadFromData(documentYAML)
	if err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	if err := spec.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	d := &Document{spec: spec, operations: map[route]*operation{}, paths: map[string]bool{}}
	if build := observe.ThisBuild(); build.IsReleased() {
		spec.Info.Version = build.Version
	}
	for template, item := range spec.Paths.Map() {
		path := pathParameter.ReplaceAllString(template, ":$1")
		d.paths[path] = true
		for method, o := range item.Operations() {
			compiled, err := compile(spec, template, method, item, o)
			if err != nil {
				return nil, fmt.Errorf("interface document: %s: %w", o.OperationID, err)
			}
			d.operations[route{method, path}] = compiled
		}
	}
	d.json, err = json.Marshal(spec)
	return d, err
}

// OperationIDs returns the ids of all operations.
func (d *Document) OperationIDs() []string {
	ids := make([]string, 0, len(d.operations))
	for _, operation := range d.operations {
		ids = append(ids, operation.id)
	}
	return ids
}

func compile(spec *openapi3.T, template, method string, item *openapi3.PathItem, o *openapi3.Operation) (*operation, error) {
	entries, err := textList(o.Extensions["x-access"])
	if err != nil {
		return nil, err
	}
	access, err := auth.ParseAccess(entries)
	if err != nil {
		return nil, err
	}
	compiled := &operation{
		id: o.OperationID, access: access,
		route: &routers.Route{Spec: spec, Path: template, PathItem: item, Method: method, Operation: o},
	}
	for _, ref := range append(append(openapi3.Parameters{}, item.Parameters...), o.Parameters...) {
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			compiled.path = append(compiled.path, ref.Value)
		case openapi3.ParameterInQuery:
			compiled.query = append(compiled.query, ref.Value)
		}
	}
	if o.RequestBody != nil {
		compiled.body = o.RequestBody.Value
	}
	return compiled, nil
}

func textList(extension any) ([]string, error) {
	values, ok := extension.([]any)
	if !ok {
		return nil, fmt.Errorf("x-access is missing")
	}
	list := make([]string, 0, len(values))
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("x-access must be a list of texts")
		}
		list = append(list, text)
	}
	return list, nil
}
