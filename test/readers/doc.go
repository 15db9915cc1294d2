// Package readers holds what other services expect of stored documents when they decode them: how wide each number may be.
// Its tests write through the service and look at everything that is stored afterwards.
package readers
