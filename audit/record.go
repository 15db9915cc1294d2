package audit

import (
	"context"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// record is the entry of a request while it is at work.
type record struct {
	mu    sync.Mutex
	entry Entry
}

type recordKey struct{}

func recordFrom(ctx context.Context) *record {
	r, _ := ctx.Value(recordKey{}).(*record)
	return r
}

// edit changes the entry. It does nothing where there is none.
func (r *record) edit(change func(entry *Entry)) {
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		change(&r.entry)
	}
}

// IsRecorded reports whether somebody wants to know what the context's request changes.
func IsRecorded(ctx context.Context) bool { return recordFrom(ctx) != nil }

// Fields says which fields of what the request is about change, in place of those that the caller sent.
func Fields(ctx context.Context, fields []string) {
	recordFrom(ctx).edit(func(entry *Entry) { entry.Fields = append([]string{}, slices.Sorted(slices.Values(fields))...) })
}

// Patient says which patient of which clinic the request turned out to be about.
func Patient(ctx context.Context, clinicID bson.ObjectID, userID string) {
	recordFrom(ctx).edit(func(entry *Entry) { entry.ClinicID, entry.PatientID = &clinicID, userID })
}

// now returns the entry as it is now.
func (r *record) now() Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry
}
