package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	json       []byte // as it is published
	plainJSON  []byte // the same without examples
	operations map[route]*operation
	paths      map[string]bool
	// words are the fixed segments of all paths.
	words map[string]bool
}

// route identifies an operation by its method and its path in the form that the router uses (/v1/clinics/:clinicId).
type route struct{ method, path string }

type operation struct {
	id     string
	access auth.Access
	path   []*openapi3.Parameter
	query  []*openapi3.Parameter
	// headers are the names of those that the operation understands.
	headers map[string]bool
	body    *openapi3.RequestBody
	// reasons are why this operation, besides any other, may fail.
	reasons []string
	// maxBody is the size of the largest body in bytes, 0 if the document sets no limit.
	maxBody int64
	route   *routers.Route
}

var pathParameter = regexp.MustCompile(`\{([^}]+)\}`)

// LoadDocument compiles the embedded document. It returns an error if the document is not valid or leaves open who may
// call an operation.
func LoadDocument() (*Document, error) {
	defineTimeZones()
	checked, err := documentTree()
	if err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	published, _ := copyTree(checked).(object)
	checkedTree(checked)
	spec, err := loadTree(checked)
	if err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	d := &Document{spec: spec, operations: map[route]*operation{}, paths: map[string]bool{}, words: map[string]bool{}}
	if build := observe.ThisBuild(); build.IsReleased() {
		spec.Info.Version = build.Version
	}
	for template, item := range spec.Paths.Map() {
		path := pathParameter.ReplaceAllString(template, ":$1")
		d.paths[path] = true
		for segment := range strings.SplitSeq(template, "/") {
			d.words[segment] = true // those in braces stand in no real path
		}
		for method, o := range item.Operations() {
			compiled, err := compile(spec, template, method, item, o)
			if err != nil {
				return nil, fmt.Errorf("interface document: %s: %w", o.OperationID, err)
			}
			d.operations[route{method, path}] = compiled
		}
	}
	if err := requireReads(d); err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	if err := requireRepeatable(d); err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	if err := publishedTree(published); err != nil {
		return nil, fmt.Errorf("interface document: %w", err)
	}
	if d.json, err = json.Marshal(published); err != nil {
		return nil, err
	}
	dropExamples(published)
	if d.plainJSON, err = json.Marshal(published); err != nil {
		return nil, err
	}
	acceptTimeZones(spec)
	return d, nil
}

// Operation is what tests need to know of an operation.
type Operation struct {
	ID      string
	Method  string
	Path    string   // with parameters in braces
	Reasons []string // of errors, with those that every operation has
	MaxBody int64    // in bytes, 0 if the document sets no limit
}

// Operations returns all operations, in no order.
func (d *Document) Operations() []Operation {
	common, _ := textList(d.spec.Extensions, "x-common-reasons") // there may be none
	list := make([]Operation, 0, len(d.operations))
	for route, o := range d.operations {
		list = append(list, Operation{ID: o.id, Method: route.method, Path: o.route.Path, Reasons: slices.Concat(common, o.reasons), MaxBody: o.maxBody})
	}
	return list
}

// JSON returns the document as it is published, with its examples.
func (d *Document) JSON() []byte { return d.json }

// OperationIDs returns the ids of all operations.
func (d *Document) OperationIDs() []string {
	ids := make([]string, 0, len(d.operations))
	for _, operation := range d.operations {
		ids = append(ids, operation.id)
	}
	return ids
}

func compile(spec *openapi3.T, template, method string, item *openapi3.PathItem, o *openapi3.Operation) (*operation, error) {
	entries, err := textList(o.Extensions, "x-access")
	if err != nil {
		return nil, err
	}
	access, err := auth.ParseAccess(entries)
	if err != nil {
		return nil, err
	}
	reasons, err := textList(o.Extensions, "x-reasons")
	if err != nil && o.Extensions["x-reasons"] != nil {
		return nil, err
	}
	compiled := &operation{
		id: o.OperationID, access: access, reasons: reasons, maxBody: maxBody(spec, o),
		headers: map[string]bool{},
		route:   &routers.Route{Spec: spec, Path: template, PathItem: item, Method: method, Operation: o},
	}
	for _, ref := range append(append(openapi3.Parameters{}, item.Parameters...), o.Parameters...) {
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			compiled.path = append(compiled.path, ref.Value)
		case openapi3.ParameterInQuery:
			compiled.query = append(compiled.query, ref.Value)
		case openapi3.ParameterInHeader:
			compiled.headers[ref.Value.Name] = true
		}
	}
	if o.RequestBody != nil {
		compiled.body = o.RequestBody.Value
	}
	return compiled, nil
}

// maxBody returns the limit of the operation, or else that of the document.
func maxBody(spec *openapi3.T, o *openapi3.Operation) int64 {
	for _, extensions := range []map[string]any{o.Extensions, spec.Extensions} {
		switch limit := extensions["x-max-body"].(type) {
		case float64:
			return int64(limit)
		case int:
			return int64(limit)
		}
	}
	return 0
}

func textList(extensions map[string]any, name string) ([]string, error) {
	values, ok := extensions[name].([]any)
	if !ok {
		return nil, fmt.Errorf("%s is missing", name)
	}
	list := make([]string, 0, len(values))
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%s must be a list of texts", name)
		}
		list = append(list, text)
	}
	return list, nil
}
