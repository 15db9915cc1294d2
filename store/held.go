package store

import (
	"bytes"
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/internal/errs"
)

// ErrNotAsRead tells that a document is not what the caller of Hold saw any more. Nothing was written.
var ErrNotAsRead = errs.Because("changed_concurrently", errs.Conflictf("it changes too often; repeat the request"))

// heldDocument is what a caller has seen, and on which a change rests.
type heldDocument struct {
	collection string
	document   bson.Raw
}

type heldKey struct{}

// Hold reads the document and returns a context under which a change of that document goes through only while it is, to the last
// field, what was read: the writes that decide ask Held or Claim. It returns mongo.ErrNoDocuments if there is no such document.
//
// A time or a number of a version would not do: other services write documents without either, or twice in a millisecond.
func Hold(ctx context.Context, collection *mongo.Collection, key bson.D) (context.Context, error) {
	document, err := collection.FindOne(ctx, key).Raw()
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, heldKey{}, heldDocument{collection.Name(), bytes.Clone(document)}), nil
}

// Held returns the part of a filter that matches a document of the collection only while it is as it was held. It is empty if
// none is.
func Held(ctx context.Context, collection *mongo.Collection) bson.D {
	held, ok := holding(ctx, collection)
	if !ok {
		return nil
	}
	return bson.D{{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{"$$ROOT", bson.D{{Key: "$literal", Value: held.document}}}}}}}
}

// Missed returns the error of a write that matched nothing: ErrNotAsRead if the filter had a part from Held, the given one
// otherwise.
func Missed(ctx context.Context, collection *mongo.Collection, otherwise error) error {
	if _, ok := holding(ctx, collection); ok {
		return ErrNotAsRead
	}
	return otherwise
}

// RequireHeld returns ErrNotAsRead if a document of the collection is held and is not the same any more. The change itself has to
// ask again.
func RequireHeld(ctx context.Context, collection *mongo.Collection, key bson.D) error {
	held := Held(ctx, collection)
	if held == nil {
		return nil
	}
	n, err := collection.CountDocuments(ctx, append(key[:len(key):len(key)], held...))
	if err == nil && n == 0 {
		err = ErrNotAsRead
	}
	return err
}

// Claim comes before the removal of a held document, in the same transaction. It returns ErrNotAsRead if the document changed;
// and nil if none of the collection is held. Without transactions a new updatedTime, written if the document is the same, keeps
// everybody out who holds it as well. With transactions, those who change the document and those who remove it conflict.
func (d *Database) Claim(ctx context.Context, collection *mongo.Collection, key bson.D) error {
	held := Held(ctx, collection)
	if held == nil || d.HasTransactions() {
		return RequireHeld(ctx, collection, key)
	}
	result, err := collection.UpdateOne(ctx, append(key[:len(key):len(key)], held...),
		bson.D{{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: Now()}}}})
	if err == nil && result.MatchedCount == 0 {
		err = ErrNotAsRead
	}
	return err
}

func holding(ctx context.Context, collection *mongo.Collection) (heldDocument, bool) {
	held, ok := ctx.Value(heldKey{}).(heldDocument)
	return held, ok && held.collection == collection.Name()
}
