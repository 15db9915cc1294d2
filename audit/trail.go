package audit

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// beginTime is how long a request waits for its entry to be stored.
const beginTime = 3 * time.Second

// Trail stores entries and lists them.
type Trail struct {
	retention       time.Duration // 0 means that nothing is recorded
	reads           bool
	trail, attempts *mongo.Collection
	beginner        *beginner
	writer          *writer
	log             *zap.Logger
}

// NewTrail returns the trail of the database. It records nothing unless the settings say how long entries are kept.
func NewTrail(d *store.Database, c config.Audit, log *zap.Logger) *Trail {
	trail, attempts := d.Collection(CollectionName), d.Collection(AttemptsCollectionName)
	return &Trail{
		retention: c.Retention, reads: c.Reads, trail: trail, attempts: attempts,
		beginner: &beginner{collection: attempts, queue: make(chan start, waiting)},
		writer:   &writer{trail: trail, attempts: attempts, queue: make(chan line, waiting), log: log},
		log:      log,
	}
}

// Changes reports whether changes are recorded, Reads whether readings of patients are.
func (t *Trail) Changes() bool { return t.retention > 0 }

// Reads reports whether readings of patients are recorded.
func (t *Trail) Reads() bool { return t.Changes() && t.reads }

// Do records what is attempted, does the work, which returns its outcome and the status of the answer, and makes an entry of it. The
// attempt is stored before the work begins, so a process that dies leaves an entry that says "attempted". If the work commits a
// transaction, an entry that says so is part of it. If the attempt cannot be stored, the work is not begun, and it returns an error of
// kind errs.Unavailable.
func (t *Trail) Do(ctx context.Context, entry Entry, work func(ctx context.Context) (Outcome, int)) error {
	t.beginner.open.Add(1)
	defer t.beginner.open.Add(-1)
	t.begin(&entry, Attempted)
	begin, cancel := context.WithTimeout(ctx, beginTime)
	defer cancel()
	pending, err := t.beginner.begin(begin, entry)
	if err != nil {
		return errs.Because("busy", errs.Wrap(errs.Unavailable, "the audit trail cannot be written now; repeat the request", err))
	}
	r := &record{entry: entry}
	outcome, status := Failed, 0 // of work that panics
	defer func() { t.finish(r, pending, outcome, status) }()
	outcome, status = work(store.BeforeCommit(context.WithValue(ctx, recordKey{}, r), r.commit(t.trail)))
	return nil
}

// begin completes an entry by what all have.
func (t *Trail) begin(entry *Entry, outcome Outcome) {
	entry.ID, entry.Time, entry.Outcome = bson.NewObjectID(), store.Now(), outcome
	entry.Expires = entry.Time.Add(t.retention)
}

// Read records a reading, whose outcome is known.
func (t *Trail) Read(entry Entry, outcome Outcome, status int) {
	t.begin(&entry, outcome)
	entry.Status = status
	t.writer.later(line{entry: entry})
}

// commit returns what adds the entry to a transaction. If the transaction is not committed after all, finish says so.
func (r *record) commit(trail *mongo.Collection) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		r.edit(func(entry *Entry) { entry.Outcome = Changed })
		entry := r.now()
		_, err := trail.ReplaceOne(ctx, bson.D{{Key: "_id", Value: entry.ID}}, entry, options.Replace().SetUpsert(true))
		return err
	}
}

// finish makes an entry of what was attempted, in the background, with the status of the answer, which a transaction does not know yet.
func (t *Trail) finish(r *record, ends *pending, outcome Outcome, status int) {
	isStored := r.now().Outcome == Changed
	r.edit(func(entry *Entry) { entry.Outcome, entry.Status = outcome, status })
	t.writer.later(line{entry: r.now(), isStored: isStored, ends: ends})
}

// Run writes what requests record, until the context ends, and then what is left. It is not needed where nothing is recorded.
func (t *Trail) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, run := range []func(context.Context){t.beginner.run, t.writer.run, t.sweep} {
		running.Go(func() { run(ctx) })
	}
	running.Wait()
}
