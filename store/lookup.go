package store

import (
	"bytes"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/internal/flight"
)

// Lookup reads documents of a collection by their ids. Who looks while another look is under way shares the next one, so that many
// callers who look at once take few trips to the database, and one caller none more than otherwise.
type Lookup struct {
	database   *Database
	collection *mongo.Collection
	turns      *flight.Turns[[]bson.ObjectID, []bson.Raw]
}

// Lookup returns the lookup of a collection.
func (d *Database) Lookup(collection string) *Lookup {
	l := &Lookup{database: d, collection: d.Collection(collection)}
	l.turns = flight.NewTurns(flight.Patience, l.findForAll)
	return l
}

// Decode reads the document with the id as it is now. It returns mongo.ErrNoDocuments if there is none.
func (l *Lookup) Decode(ctx context.Context, id bson.ObjectID, into any) error {
	documents, err := l.Documents(ctx, id)
	if err != nil {
		return err
	}
	if len(documents) == 0 {
		return mongo.ErrNoDocuments
	}
	return l.database.Unmarshal(documents[0], into)
}

// Documents reads those of the documents with the ids that exist, as they are now, in the order of the ids. In a transaction it
// reads alone. Without ids it reads nothing.
func (l *Lookup) Documents(ctx context.Context, ids ...bson.ObjectID) ([]bson.Raw, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if mongo.SessionFromContext(ctx) != nil {
		found, err := l.find(ctx, ids)
		return those(found, ids), err
	}
	line := "one"
	if len(ids) > 1 {
		line = "many" // who wants one does not wait for them
	}
	return l.turns.Do(ctx, line, ids)
}

// findForAll returns for each of the callers the documents with its ids.
func (l *Lookup) findForAll(ctx context.Context, all [][]bson.ObjectID) ([][]bson.Raw, error) {
	found, err := l.find(ctx, slices.Concat(all...))
	if err != nil {
		return nil, err
	}
	documents := make([][]bson.Raw, len(all))
	for i, ids := range all {
		documents[i] = those(found, ids)
	}
	return documents, nil
}

func (l *Lookup) find(ctx context.Context, ids []bson.ObjectID) (map[bson.ObjectID]bson.Raw, error) {
	found := make(map[bson.ObjectID]bson.Raw, len(ids))
	cursor, err := l.collection.Find(ctx, bson.D{{Key: "_id", Value: oneOf(ids)}})
	for document, err := range Documents[bson.Raw](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		found[document.Lookup("_id").ObjectID()] = bytes.Clone(document)
	}
	return found, nil
}

// those returns the documents with the ids, in their order.
func those(found map[bson.ObjectID]bson.Raw, ids []bson.ObjectID) []bson.Raw {
	documents := make([]bson.Raw, 0, len(ids))
	for _, id := range ids {
		if document, ok := found[id]; ok {
			documents = append(documents, document)
		}
	}
	return documents
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
