// Package platform owns the calls to the neighbouring services: user service, profile service, platform auth service,
// OpenID token endpoint and Xealth. Each file holds one of them with its exact requests and what their answers mean.
//
// All calls have a time limit, end with the caller's context, reuse connections, percent-encode what they put into a
// path, follow no redirects and read answers only up to a limit. Nothing is repeated, with three exceptions: a call whose
// server token was refused is sent again with a fresh one, an OpenID endpoint that refuses one form of credentials is
// offered the other, and an order that Xealth failed to deliver is asked for once more. (The HTTP library by itself
// repeats a GET when a kept connection turns out to be closed.)
//
// Failures that a caller of this service should hear about are errors of package errs. All others are plain errors; they
// name upstream, operation and status, and never a path, token, e-mail, secret or a piece of an answer, so they may be logged.
//
// The package must not know the database, HTTP handlers, or what the domain does with the answers.
package platform
