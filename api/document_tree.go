package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/yaml"
)

// The hand-written document declares what the contract of the interface declares, to the letter, because tools compare the
// two. What this service asks beyond it stands in extensions:
//
//	x-max-length, x-max-items, x-maximum   bounds of what is sent
//	x-required-in-requests                 required in requests, although it is read-only
//	x-optional-beside                      a parameter that may be left out if this one is there
//	x-portable-pattern                     a pattern that means the same in every language
//	x-published-schema                     the schema of a body of which the contract says nothing
//
// Two documents are made of it when the service starts: the checked one, which requests are held against, and the published
// one, which people read and clients are generated from. Both have the bounds in the words that every tool knows.

// object is a node of a document.
type object = map[string]any

// bounds are the extensions that stand for a word of JSON Schema.
var bounds = map[string]string{"x-max-length": "maxLength", "x-max-items": "maxItems", "x-maximum": "maximum"}

// documentTree returns the hand-written document as a new tree.
func documentTree() (object, error) {
	text, err := yaml.YAMLToJSON(documentYAML)
	if err != nil {
		return nil, err
	}
	tree := object{}
	return tree, json.Unmarshal(text, &tree)
}

// loadTree compiles a tree and checks that it is a valid document.
func loadTree(tree object) (*openapi3.T, error) {
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	spec, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return spec, spec.Validate(context.Background(), openapi3.DisableExamplesValidation())
}

// checkedTree turns the tree into the document that requests are held against.
func checkedTree(tree object) {
	walkTree(tree, func(node object) {
		applyBounds(node)
		applyRequired(node)
		applyOptional(node)
		unwrap(node)
	})
}

// walkTree calls visit with every object of the tree, the outer before the inner.
func walkTree(node any, visit func(object)) {
	switch node := node.(type) {
	case object:
		visit(node)
		for _, inner := range node {
			walkTree(inner, visit)
		}
	case []any:
		for _, inner := range node {
			walkTree(inner, visit)
		}
	}
}

func applyBounds(node object) {
	for extension, word := range bounds {
		if bound, ok := node[extension]; ok {
			node[word] = bound
			delete(node, extension)
		}
	}
}

// applyRequired makes a read-only member one that has to be sent; the validator asks for no others that are read-only.
func applyRequired(node object) {
	if node["x-required-in-requests"] == true {
		delete(node, "readOnly")
		delete(node, "x-required-in-requests")
	}
}

// applyOptional makes a parameter optional that another one can stand for; the pipeline asks for one of them.
func applyOptional(node object) {
	if node[optionalBeside] != nil {
		delete(node, "required")
	}
}

// optionalBeside is the extension that names what a parameter may be left out for.
const optionalBeside = "x-optional-beside"

// unwrap replaces a reference that is wrapped to have a description beside it by the plain reference. What is checked is the
// same, but the validator's errors name the place.
func unwrap(node object) {
	reference, ok := wrapped(node)
	if !ok {
		return
	}
	clear(node)
	node["$ref"] = reference
}

// wrapped returns the reference of a schema that only annotates another one. That it is nullable means nothing: null has to
// fit the other one as well.
func wrapped(node object) (string, bool) {
	parts, ok := node["allOf"].([]any)
	if !ok || len(parts) != 1 {
		return "", false
	}
	for key := range node {
		if key != "allOf" && key != "description" && key != "readOnly" && key != "nullable" && key != "example" && !strings.HasPrefix(key, "x-") {
			return "", false
		}
	}
	part, _ := parts[0].(object)
	reference, ok := part["$ref"].(string)
	return reference, ok
}

const schemaReference = "#/components/schemas/"

// schemasOf returns the named schemas of a tree.
func schemasOf(tree object) (object, error) {
	components, _ := tree["components"].(object)
	schemas, ok := components["schemas"].(object)
	if !ok {
		return nil, fmt.Errorf("no schemas")
	}
	return schemas, nil
}

// copyTree returns a deep copy.
func copyTree(node any) any {
	switch node := node.(type) {
	case object:
		copied := maps.Clone(node)
		for key, inner := range copied {
			copied[key] = copyTree(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(node))
		for i, inner := range node {
			copied[i] = copyTree(inner)
		}
		return copied
	default:
		return node
	}
}
