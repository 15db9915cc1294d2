package store

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Indexes are the indexes that a collection needs. Each package declares those of its own collections.
type Indexes struct {
	Collection string
	Indexes    []Index
}

// Index is one index. Deployed databases hold indexes of the same names; CheckIndexes says where they differ.
type Index struct {
	Name    string
	Keys    bson.D
	Unique  bool
	Partial bson.D             // nil means all documents
	Locale  *options.Collation // nil means binary comparison
	// ExpireSeconds is the age at which documents go, by the time in the indexed field; 0 means never.
	ExpireSeconds int32
	// Old tells that no query of this service uses the index. It is built last, where there is room.
	Old bool
}

// EnsureIndexes makes the indexes that are missing, and waits for them however long that takes: it is for databases that are
// small. It returns an error for an index that is there and must not be as it is.
func (d *Database) EnsureIndexes(ctx context.Context, sets ...Indexes) error {
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	for _, set := range sets {
		if err := d.ensure(ctx, set); err != nil {
			return fmt.Errorf("indexes of %s: %w", set.Collection, err)
		}
	}
	return nil
}

func (d *Database) ensure(ctx context.Context, set Indexes) error {
	existing, err := existingIndexes(ctx, d.Collection(set.Collection))
	if err != nil {
		return err
	}
	var missing []mongo.IndexModel
	var states []IndexState
	for _, index := range set.Indexes {
		state := index.compare(set.Collection, existing)
		if states = append(states, state); state.Problem == problemMissing {
			missing = append(missing, index.model())
		}
	}
	if err := WrongIndexes(states); err != nil || len(missing) == 0 {
		return err
	}
	return createIndexes(ctx, d.Collection(set.Collection), missing)
}

// createAttempts bounds how often making indexes is tried again.
const createAttempts = 10

// createIndexes makes indexes, and the collection if need be. DocumentDB does the latter in two steps, and may not see the
// first when it makes the second; then it helps to ask again.
func createIndexes(ctx context.Context, collection *mongo.Collection, models []mongo.IndexModel) error {
	for attempt := 1; ; attempt++ {
		_, err := collection.Indexes().CreateMany(ctx, models)
		if !isNamespaceNotFound(err) || attempt == createAttempts {
			return err
		}
		select {
		case <-time.After(time.Duration(attempt) * 20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (i Index) model() mongo.IndexModel {
	o := options.Index().SetName(i.Name)
	if i.Unique {
		o.SetUnique(true)
	}
	if i.Partial != nil {
		o.SetPartialFilterExpression(i.Partial)
	}
	if i.Locale != nil {
		o.SetCollation(i.Locale)
	}
	if i.ExpireSeconds > 0 {
		o.SetExpireAfterSeconds(i.ExpireSeconds)
	}
	return mongo.IndexModel{Keys: i.Keys, Options: o}
}

// Ascending returns the keys of an index that is ascending in every field.
func Ascending(fields ...string) bson.D {
	keys := make(bson.D, 0, len(fields))
	for _, field := range fields {
		keys = append(keys, bson.E{Key: field, Value: 1})
	}
	return keys
}

// IgnoreCaseAndAccents is the collation in which names are sorted and medical record numbers compared.
func IgnoreCaseAndAccents() *options.Collation {
	return &options.Collation{Locale: "en", Strength: 1}
}
