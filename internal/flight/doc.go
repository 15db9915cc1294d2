// Package flight lets simultaneous callers share one call, whose work belongs to none of them: it does not end because the
// caller who came first has left, and it ends when nobody waits for it any more. It must not know what is called.
package flight
