// Package idempotency remembers, for a day, which requests were made under keys that callers chose, so that a repeat makes
// nothing twice. Of what was sent and answered it knows a hash and an id. It must not know HTTP, nor what a request makes.
package idempotency
