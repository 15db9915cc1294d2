package audit

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// beginTime is how long a request waits for its entry to be stored.
const beginTime = 3 * time.Second

// Trail stores entries and lists them.
type Trail struct {
	retention  time.Duration // 0 means that nothing is recorded
	reads      bool
	collection *mongo.Collection
	writer     *writer
}

// NewTrail returns the trail of the database. It records nothing unless the settings say how long entries are kept.
func NewTrail(d *store.Database, c config.Audit, log *zap.Logger) *Trail {
	collection := d.Collection(CollectionName)
	return &Trail{retention: c.Retention, reads: c.Reads, collection: collection, writer: newWriter(collection, log)}
}

// Changes reports whether changes are recorded, Reads whether readings of patients are.
func (t *Trail) Changes() bool { return t.retention > 0 }

// Reads reports whether readings of patients are recorded.
func (t *Trail) Reads() bool { return t.Changes() && t.reads }

// Do records an entry, does the work, which returns its outcome and the status of the answer, and records them. The entry is stored before
// the work begins: a process that dies leaves one that says "attempted". If the work commits a transaction, that it did is part of it.
// If the entry cannot be stored, the work is not begun, and it returns an error of kind errs.Unavailable.
func (t *Trail) Do(ctx context.Context, entry Entry, work func(ctx context.Context) (Outcome, int)) error {
	entry.ID, entry.Time, entry.Outcome = bson.NewObjectID(), store.Now(), Attempted
	entry.Expires = entry.Time.Add(t.retention)
	begin, cancel := context.WithTimeout(ctx, beginTime)
	defer cancel()
	if err := t.writer.insert(begin, entry); err != nil {
		return errs.Because("busy", errs.Wrap(errs.Unavailable, "the audit trail cannot be written now; repeat the request", err))
	}
	r := &record{entry: entry}
	outcome, status := Failed, 0 // of work that panics
	defer func() { t.finish(r, outcome, status) }()
	outcome, status = work(store.BeforeCommit(context.WithValue(ctx, recordKey{}, r), r.commit(t.collection)))
	return nil
}

// Read records a reading, whose outcome is known.
func (t *Trail) Read(entry Entry, outcome Outcome, status int) {
	entry.ID, entry.Time, entry.Outcome, entry.Status = bson.NewObjectID(), store.Now(), outcome, status
	entry.Expires = entry.Time.Add(t.retention)
	t.writer.later(mongo.NewInsertOneModel().SetDocument(entry))
}

// commit returns what adds the outcome to a transaction. If the transaction is not committed after all, finish says so.
func (r *record) commit(collection *mongo.Collection) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		r.edit(func(entry *Entry) { entry.Outcome = Changed })
		_, err := collection.UpdateByID(ctx, r.entry.ID, r.outcome())
		return err
	}
}

// finish records the outcome in the background, with the status of the answer, which a transaction does not know yet.
func (t *Trail) finish(r *record, outcome Outcome, status int) {
	r.edit(func(entry *Entry) { entry.Outcome, entry.Status = outcome, status })
	t.writer.later(mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: r.entry.ID}}).SetUpdate(r.outcome()))
}

// Run writes what requests record, until the context ends, and then what is left. It is not needed where nothing is recorded.
func (t *Trail) Run(ctx context.Context) { t.writer.run(ctx) }
