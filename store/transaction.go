package store

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

const (
	// transactionTime bounds a transaction whose context has no deadline of its own, repeats included. With abortTime it stays
	// below what gateways wait.
	transactionTime = 12 * time.Second
	// abortTime bounds the abort of a transaction, which the database does by itself when it is not told.
	abortTime = 2 * time.Second
	// Transactions that collided are repeated after these times, which grow from the one to the other.
	conflictPauseMin = 5 * time.Millisecond
	conflictPauseMax = 500 * time.Millisecond
)

// The labels of errors after which the driver's specification allows to repeat.
const (
	repeatTransaction = "TransientTransactionError"
	repeatCommit      = "UnknownTransactionCommitResult"
)

type commitKey struct{}

// BeforeCommit returns a context whose transactions run finish as their last part. Without transactions it is never run.
func BeforeCommit(ctx context.Context, finish func(ctx context.Context) error) context.Context {
	return context.WithValue(ctx, commitKey{}, finish)
}

// InTx runs fn in a transaction, if the database has them, and joins one that the context already carries. Without
// transactions it just runs fn, whose writes must therefore be ordered so that a crash between any two of them loses
// nothing and a repeat of the whole completes them.
//
// fn must use only the context it is given, may run more than once, and must call no other service.
func (d *Database) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if !d.transactions || mongo.SessionFromContext(ctx) != nil {
		return fn(ctx)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, transactionTime)
		defer cancel()
	}
	session, err := d.Client().StartSession()
	if err != nil {
		return err
	}
	defer endSession(ctx, session)
	for pause := conflictPauseMin; ; pause = min(2*pause, conflictPauseMax) {
		err := once(ctx, session, fn)
		if !hasLabel(err, repeatTransaction) || !sleep(ctx, pause) {
			return err
		}
	}
}

// once makes one attempt. The driver's own loop is not used because its abort has a whole operation's time of its own, so that
// a database that went silent would be waited for twice.
func once(ctx context.Context, session *mongo.Session, fn func(ctx context.Context) error) error {
	o := options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(writeconcern.Majority())
	if err := session.StartTransaction(o); err != nil {
		return err
	}
	within := mongo.NewSessionContext(ctx, session)
	err := fn(within)
	if finish, ok := ctx.Value(commitKey{}).(func(context.Context) error); ok && err == nil {
		err = finish(within)
	}
	if err == nil {
		err = ctx.Err() // nobody waits for it any more
	}
	if err != nil {
		abort(ctx, session)
		return err
	}
	for pause := conflictPauseMin; ; pause = min(2*pause, conflictPauseMax) {
		err := commit(ctx, session)
		if !hasLabel(err, repeatCommit) || mongo.IsTimeout(err) || !sleep(ctx, pause) {
			return err
		}
	}
}

// commit goes on although the caller has left: the outcome is known sooner than that of a commit that was cut off.
func commit(ctx context.Context, session *mongo.Session) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
	}
	return session.CommitTransaction(ctx)
}

func abort(ctx context.Context, session *mongo.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_ = session.AbortTransaction(ctx) // the database does it by itself, too
}

func endSession(ctx context.Context, session *mongo.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	session.EndSession(ctx)
}

func hasLabel(err error, label string) bool {
	var labeled mongo.LabeledError
	return errors.As(err, &labeled) && labeled.HasErrorLabel(label)
}

// sleep reports whether the time passed before the context ended.
func sleep(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(jitter(pause)):
		return true
	case <-ctx.Done():
		return false
	}
}
