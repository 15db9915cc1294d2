package api

import (
	"reflect"
	"slices"
	"strings"
)

// publishedTree turns the tree into the document that people read and clients are generated from. It has nothing that only
// this code base understands, and what is sent has shapes of its own where they differ from what is answered: bounded,
// without marks of read-only, and with only those members required that have to be sent.
func publishedTree(tree object) error {
	schemas, err := schemasOf(tree)
	if err != nil {
		return err
	}
	walkTree(tree, func(node object) {
		dropHints(node)
		applyPortable(node)
		applyOptional(node)
		if name, ok := node["x-published-schema"].(string); ok {
			clear(node)
			node["$ref"] = schemaReference + name
		}
	})
	answers := map[string]bool{}
	shapes := requestShapes{schemas: schemas, answers: answers, names: map[string]string{}}
	eachOperation(tree, func(operation object) { reach(schemas, operation["responses"], answers) })
	reach(schemas, pathOf(tree, "components", "responses"), answers)
	eachOperation(tree, func(operation object) { shapes.apply(operation["requestBody"], false) })
	eachParameter(tree, func(parameter object) { shapes.apply(parameter["schema"], false) })
	for name := range answers {
		walkTree(schemas[name], func(node object) {
			for extension := range bounds {
				delete(node, extension)
			}
			delete(node, "x-required-in-requests")
		})
	}
	walkTree(tree, func(node object) {
		applyBounds(node)
		if len(node) == 1 { // the annotation was the mark of read-only
			unwrap(node)
		}
	})
	return nil
}

// requestShapes makes the schemas of what is sent.
type requestShapes struct {
	schemas object
	// answers are the names of the schemas that stand in answers and stay as they are.
	answers map[string]bool
	// names leads from a schema to its shape in requests.
	names map[string]string
}

// apply turns the node, and what it refers to, into what is sent. Members that the service fills in itself are not required
// in a schema that is answered too.
func (r *requestShapes) apply(node any, answered bool) {
	switch node := node.(type) {
	case []any:
		for _, inner := range node {
			r.apply(inner, answered)
		}
	case object:
		if answered {
			r.relax(node)
		}
		delete(node, "readOnly")
		delete(node, "x-required-in-requests")
		applyBounds(node)
		for key, inner := range node {
			if reference, ok := inner.(string); ok && key == "$ref" {
				if name, ok := strings.CutPrefix(reference, schemaReference); ok {
					node[key] = schemaReference + r.shape(name)
				}
				continue
			}
			r.apply(inner, answered)
		}
	}
}

// relax takes the members that are read-only from those that are required.
func (r *requestShapes) relax(node object) {
	required, _ := node["required"].([]any)
	properties, _ := node["properties"].(object)
	if len(required) == 0 || properties == nil {
		return
	}
	required = slices.DeleteFunc(slices.Clone(required), func(name any) bool {
		property, _ := properties[name.(string)].(object)
		return r.isReadOnly(property)
	})
	node["required"] = required
	if len(required) == 0 {
		delete(node, "required")
	}
}

func (r *requestShapes) isReadOnly(property object) bool {
	for range 10 { // references do not go in circles, but a mistake must not hang the start
		reference, ok := property["$ref"].(string)
		if wrapper, wraps := wrapped(property); wraps {
			reference, ok = wrapper, true
		}
		if !ok {
			return property["readOnly"] == true && property["x-required-in-requests"] != true
		}
		property, _ = r.schemas[strings.TrimPrefix(reference, schemaReference)].(object)
	}
	return false
}

// shape returns the name of the schema for requests, and makes it if need be.
func (r *requestShapes) shape(name string) string {
	if known, ok := r.names[name]; ok {
		return known
	}
	r.names[name] = name
	original := r.schemas[name]
	if !r.answers[name] {
		r.apply(original, false)
		return name
	}
	sent := copyTree(original)
	r.apply(sent, true)
	if !reflect.DeepEqual(sent, original) {
		base, version, _ := strings.Cut(name, ".")
		r.names[name] = base + "Request"
		if version != "" {
			r.names[name] += "." + version
		}
		r.schemas[r.names[name]] = sent
	}
	return r.names[name]
}

// reach notes the names of all schemas that the node leads to.
func reach(schemas object, node any, names map[string]bool) {
	walkTree(node, func(node object) {
		reference, _ := node["$ref"].(string)
		name, ok := strings.CutPrefix(reference, schemaReference)
		if ok && !names[name] {
			names[name] = true
			reach(schemas, schemas[name], names)
		}
	})
}

// dropHints removes what only the code generator of this service understands.
func dropHints(node object) {
	for key := range node {
		if strings.HasPrefix(key, "x-go-") || strings.HasPrefix(key, "x-omit") {
			delete(node, key)
		}
	}
	// COMPAT: the contract has patterns in the place of formats.
	if format, _ := node["format"].(string); strings.HasPrefix(format, "^") {
		delete(node, "format")
	}
}

func applyPortable(node object) {
	if pattern, ok := node["x-portable-pattern"]; ok {
		node["pattern"] = pattern
		delete(node, "x-portable-pattern")
	}
}

// eachOperation calls visit with every operation of the tree.
func eachOperation(tree object, visit func(object)) {
	paths, _ := tree["paths"].(object)
	for _, item := range paths {
		item, _ := item.(object)
		for method, operation := range item {
			if operation, ok := operation.(object); ok && method != "parameters" {
				visit(operation)
			}
		}
	}
}

// eachParameter calls visit with every parameter of the tree that is not a reference to another one.
func eachParameter(tree object, visit func(object)) {
	list := func(parameters any) {
		parameterList, _ := parameters.([]any)
		for _, parameter := range parameterList {
			if parameter, ok := parameter.(object); ok {
				visit(parameter)
			}
		}
	}
	paths, _ := tree["paths"].(object)
	for _, item := range paths {
		if item, ok := item.(object); ok {
			list(item["parameters"])
		}
	}
	eachOperation(tree, func(operation object) { list(operation["parameters"]) })
	shared, _ := pathOf(tree, "components", "parameters").(object)
	for _, parameter := range shared {
		if parameter, ok := parameter.(object); ok {
			visit(parameter)
		}
	}
}

// pathOf returns what stands at the path, nil if nothing does.
func pathOf(tree object, path ...string) any {
	var node any = tree
	for _, key := range path {
		inner, _ := node.(object)
		node = inner[key]
	}
	return node
}

// dropExamples takes all examples out of the tree. They are more than a third of it, and programs do not read them.
func dropExamples(tree object) {
	walkTree(tree, func(node object) {
		delete(node, "example")
		delete(node, "examples")
	})
}
