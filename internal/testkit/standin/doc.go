// Package standin plays all the neighbours of this service in one HTTP handler: user service, profile service, platform
// auth service with its gateway, OpenID token endpoint, Xealth and the report export. It has behaviour, not canned
// answers: what was created can be read, what is taken is refused, a token must have been issued to be good.
//
// Tests seed it, look at the calls it received and let it fail. For development one process of it stands beside the
// service.
//
// The package must not know the clients it serves, so that a mistake there cannot hide in a shared definition, and
// production code must not import it.
package standin
