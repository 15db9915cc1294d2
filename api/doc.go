// Package api owns the HTTP face of the service: the interface document, the order of checks that every request goes
// through, the handlers, and the mapping between wire forms and domain values. It is the only package that knows Echo and
// the generated code in api/gen. It must hold no rule of a domain and no query.
package api
