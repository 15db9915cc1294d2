package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/internal/flight"
)

// lookupPatience is how long a trip to the database waits at most for the one before.
const lookupPatience = 20 * time.Millisecond

// Lookup reads documents of a collection by their ids. Who looks while another look is under way shares the next one, so that many
// callers who look at once take few trips to the database, and one caller none more than otherwise.
type Lookup struct {
	database   *Database
	collection *mongo.Collection
	turns      *flight.Turns[bson.ObjectID, bson.Raw]
}

// Lookup returns the lookup of a collection.
func (d *Database) Lookup(collection string) *Lookup {
	l := &Lookup{database: d, collection: d.Collection(collection)}
	l.turns = flight.NewTurns(lookupPatience, l.find)
	return l
}

// Decode reads the document with the id as it is now. It returns mongo.ErrNoDocuments if there is none. In a transaction it reads
// alone.
func (l *Lookup) Decode(ctx context.Context, id bson.ObjectID, into any) error {
	if mongo.SessionFromContext(ctx) != nil {
		return l.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(into)
	}
	document, err := l.turns.Do(ctx, "", id)
	if err == nil && document == nil {
		err = mongo.ErrNoDocuments
	}
	if err != nil {
		return err
	}
	return l.database.Unmarshal(document, into)
}

// find returns the documents with the ids, nil for those that do not exist.
func (l *Lookup) find(ctx context.Context, ids []bson.ObjectID) ([]bson.Raw, error) {
	documents := make([]bson.Raw, len(ids))
	cursor, err := l.collection.Find(ctx, bson.D{{Key: "_id", Value: oneOf(ids)}})
	for document, err := range Documents[bson.Raw](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		document, found := bytes.Clone(document), document.Lookup("_id")
		for i, id := range ids {
			if found.ObjectID() == id {
				documents[i] = document
			}
		}
	}
	return documents, nil
}

// oneOf returns a condition that holds for each of the ids.
func oneOf(ids []bson.ObjectID) any {
	different := slices.Clone(ids)
	slices.SortFunc(different, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) })
	if different = slices.Compact(different); len(different) > 1 {
		return bson.D{{Key: "$in", Value: different}}
	}
	return different[0]
}
