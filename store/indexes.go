package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"
)

// Indexes are the indexes that a collection needs. Each package declares those of its own collections.
type Indexes struct {
	Collection string
	Indexes    []Index
}

// Index is one index. Deployed databases hold indexes of the same names: an index that exists is taken as it is if its keys
// are the same, and stops the start if they are not, because then the queries that need it would be slow for ever.
type Index struct {
	Name    string
	Keys    bson.D
	Unique  bool
	Partial bson.D             // nil means all documents
	Locale  *options.Collation // nil means binary comparison
	// ExpireSeconds is the age at which documents go, by the time in the indexed field; 0 means never.
	ExpireSeconds int32
}

// buildAtOnce is the size of a collection, in documents, up to which a start waits for a new index. On a larger one it is
// built in the background, while the queries that want it work, slower. Unique indexes are always waited for: correctness
// depends on them.
const buildAtOnce = 20_000

// EnsureIndexes makes the indexes that are missing. It is safe to run from several processes at once.
func (d *Database) EnsureIndexes(ctx context.Context, sets ...Indexes) error {
	for _, set := range sets {
		if err := d.ensure(ctx, set); err != nil {
			return fmt.Errorf("indexes of %s: %w", set.Collection, err)
		}
	}
	return nil
}

func (d *Database) ensure(ctx context.Context, set Indexes) error {
	collection := d.Collection(set.Collection)
	missing, err := missingIndexes(ctx, collection, set.Indexes)
	if err != nil || len(missing) == 0 {
		return err
	}
	size, err := collection.EstimatedDocumentCount(ctx)
	if err != nil {
		return err
	}
	var now, later []mongo.IndexModel
	for _, index := range missing {
		if index.Unique || size <= buildAtOnce {
			now = append(now, index.model())
		} else {
			later = append(later, index.model())
		}
	}
	if len(later) > 0 {
		go d.buildLater(collection, later) //nolint:gosec,contextcheck // it outlives the start
	}
	if len(now) == 0 {
		return nil
	}
	_, err = collection.Indexes().CreateMany(ctx, now)
	return err
}

// buildLater outlives the start, and so does not use its context.
func (d *Database) buildLater(collection *mongo.Collection, models []mongo.IndexModel) {
	defer d.building.add(collection.Name(), len(models))()
	start := time.Now()
	d.log.Info("building indexes in the background", zap.String("collection", collection.Name()), zap.Int("indexes", len(models)))
	if _, err := collection.Indexes().CreateMany(context.Background(), models); err != nil {
		d.log.Error("an index could not be built; queries that want it stay slow until the next start", zap.String("collection", collection.Name()), zap.Error(err))
		return
	}
	d.log.Info("indexes are built", zap.String("collection", collection.Name()), zap.Duration("took", time.Since(start)))
}

func missingIndexes(ctx context.Context, collection *mongo.Collection, wanted []Index) ([]Index, error) {
	existing, err := existingIndexes(ctx, collection)
	if err != nil {
		return nil, err
	}
	var missing []Index
	for _, index := range wanted {
		keys, ok := existing[index.Name]
		if !ok {
			missing = append(missing, index)
			continue
		}
		if !sameKeys(keys, index.Keys) {
			return nil, fmt.Errorf("index %s exists with other keys", index.Name)
		}
	}
	return missing, nil
}

// existingIndexes returns the keys of each index by its name.
func existingIndexes(ctx context.Context, collection *mongo.Collection) (map[string]bson.D, error) {
	cursor, err := collection.Indexes().List(ctx)
	if err != nil {
		var command mongo.CommandError
		if errors.As(err, &command) && command.Code == namespaceNotFound {
			return nil, nil
		}
		return nil, err
	}
	var specs []struct {
		Name string `bson:"name"`
		Keys bson.D `bson:"key"`
	}
	if err := cursor.All(ctx, &specs); err != nil {
		return nil, err
	}
	existing := make(map[string]bson.D, len(specs))
	for _, spec := range specs {
		existing[spec.Name] = spec.Keys
	}
	return existing, nil
}

// namespaceNotFound is the database's code for a collection that does not exist.
const namespaceNotFound = 26

func sameKeys(a, b bson.D) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || fmt.Sprint(a[i].Value) != fmt.Sprint(b[i].Value) {
			return false
		}
	}
	return true
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
