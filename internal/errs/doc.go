// Package errs owns the kinds of errors this service tells apart and the texts that callers may see.
//
// An error made here has a kind, which decides how the caller is answered, and a text, which is meant for the caller.
// A cause can be attached for the log; it never becomes part of the text. Context that code adds on the way up with
// fmt.Errorf("…: %w", err) does become part of it. An error without a kind is Internal and has only a bland text.
//
// The package must not know HTTP status codes, the database or any neighbour: the translation into an answer belongs to
// package api, the translation of driver errors to package store.
package errs
