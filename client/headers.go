package client

import (
	"context"
	"net/http"
)

// IfMatch lets an update or a deletion go through only if the thing still has the tag, which is the header ETag of the answer to
// a read. Otherwise nothing changes, and the answer has the status 412. Give it to a call as its last argument.
func IfMatch(tag string) RequestEditorFn { return header("If-Match", tag) }

// IfNoneMatch makes a read answer with the status 304, and no content, if the thing still has the tag.
func IfNoneMatch(tag string) RequestEditorFn { return header("If-None-Match", tag) }

// IdempotencyKey makes a request that makes something act once, however often it is sent with the same key: a clinic, member,
// patient, tag, site, reminder or connection request. Make a new key for each thing, such as a UUID; a client from [New] then also
// repeats the call by itself.
func IdempotencyKey(key string) RequestEditorFn { return header(idempotencyKey, key) }

const idempotencyKey = "Idempotency-Key"

func header(name, value string) RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set(name, value)
		return nil
	}
}
