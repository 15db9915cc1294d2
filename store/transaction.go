package store

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// InTx runs fn in a transaction, if the database has them, and joins one that the context already carries. Without
// transactions it just runs fn, whose writes must therefore be ordered so that a crash between any two of them loses
// nothing and a repeat of the whole completes them.
//
// fn must use only the context it is given, may run more than once, and must call no other service.
func (d *Database) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if !d.transactions || mongo.SessionFromContext(ctx) != nil {
		return fn(ctx)
	}
	session, err := d.Client().StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	_, err = session.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		return nil, fn(ctx)
	}, options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(writeconcern.Majority()))
	return err
}
