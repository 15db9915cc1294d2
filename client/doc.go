// Package client is a typed client of the clinic service for other Go services. All of it is generated from the interface
// document; it must import nothing else of this module.
package client
