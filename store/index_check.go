package store

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Severity says how bad it is that an index is not as it should be.
type Severity string

// The severities, from none to the worst.
const (
	Fine Severity = "fine"
	// Slow means that queries are slow, and right.
	Slow Severity = "slow"
	// Loud means that something is not done that should be, such as removing what is too old.
	Loud Severity = "loud"
	// Wrong means that the database lets in what it must refuse, or refuses what it must let in. No service may start on it.
	Wrong Severity = "wrong"
)

const problemMissing = "missing"

// IndexState says what is found in the database of an index that is wanted.
type IndexState struct {
	Collection string
	Name       string
	Problem    string // "" if it is there as it should be
	Severity   Severity
}

// IsMissing reports whether the index can just be built.
func (s IndexState) IsMissing() bool { return s.Problem == problemMissing }

// WrongIndexes returns an error that names the indexes on which no service may start, nil if there are none.
func WrongIndexes(states []IndexState) error {
	var wrong []error
	for _, s := range states {
		if s.Severity == Wrong {
			wrong = append(wrong, fmt.Errorf("index %s of %s %s", s.Name, s.Collection, s.Problem))
		}
	}
	return errors.Join(wrong...)
}

// CheckIndexes returns the state of each index. It makes none.
func (d *Database) CheckIndexes(ctx context.Context, sets ...Indexes) ([]IndexState, error) {
	var states []IndexState
	for _, set := range sets {
		existing, err := existingIndexes(ctx, d.Collection(set.Collection))
		if err != nil {
			return nil, fmt.Errorf("indexes of %s: %w", set.Collection, err)
		}
		for _, index := range set.Indexes {
			states = append(states, index.compare(set.Collection, existing))
		}
	}
	return states, nil
}

// existingIndex is an index as the database describes it.
type existingIndex struct {
	Name      string  `bson:"name"`
	Keys      bson.D  `bson:"key"`
	Unique    bool    `bson:"unique"`
	Sparse    bool    `bson:"sparse"`
	Hidden    bool    `bson:"hidden"`
	Partial   bson.D  `bson:"partialFilterExpression"`
	Expires   *int64  `bson:"expireAfterSeconds"`
	Collation *locale `bson:"collation"`
}

type locale struct {
	Locale   string `bson:"locale"`
	Strength int    `bson:"strength"`
}

// namespaceNotFound is the database's code for a collection that does not exist.
const namespaceNotFound = 26

func isNamespaceNotFound(err error) bool {
	var command mongo.CommandError
	return errors.As(err, &command) && command.Code == namespaceNotFound
}

// existingIndexes returns the indexes of a collection by name.
func existingIndexes(ctx context.Context, collection *mongo.Collection) (map[string]existingIndex, error) {
	cursor, err := collection.Indexes().List(ctx)
	if err != nil {
		if isNamespaceNotFound(err) {
			return nil, nil
		}
		return nil, err
	}
	var found []existingIndex
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	existing := make(map[string]existingIndex, len(found))
	for _, index := range found {
		existing[index.Name] = index
	}
	return existing, nil
}

// compare says how what is found differs from what is wanted.
func (i Index) compare(collection string, existing map[string]existingIndex) IndexState {
	state := IndexState{Collection: collection, Name: i.Name, Severity: Fine}
	found, ok := existing[i.Name]
	if !ok {
		state.Problem, state.Severity = problemMissing, i.severity()
		if twin := i.twin(existing); twin != "" {
			state.Problem = "is there under the name " + twin
		}
		if i.Unique || i.ExpireSeconds > 0 {
			state.Severity = Loud // it can be made, so that no start has to fail
		}
		return state
	}
	switch {
	case i.Unique && !found.Unique:
		state.Problem, state.Severity = "is not unique", Wrong
	case !i.Unique && found.Unique:
		state.Problem, state.Severity = "is unique, and must not be", Wrong
	case !same(found.Keys, i.Keys):
		state.Problem, state.Severity = "has other keys", i.severity()
	case !same(found.Partial, i.Partial) || found.Sparse:
		state.Problem, state.Severity = "covers other documents", i.severity()
	case !i.sameCollation(found.Collation):
		state.Problem, state.Severity = "has another collation", i.severity()
	case !i.sameExpiry(found.Expires):
		state.Problem, state.Severity = "removes documents at another age", Loud
	case found.Hidden:
		state.Problem, state.Severity = "is hidden", Slow
	}
	return state
}

// severity returns how bad it is that the index is not as it should be.
func (i Index) severity() Severity {
	switch {
	case i.Unique:
		return Wrong
	case i.ExpireSeconds > 0:
		return Loud
	default:
		return Slow
	}
}

// twin returns the name of an index that is the same but for its name: the database refuses a second one.
func (i Index) twin(existing map[string]existingIndex) string {
	for name, found := range existing {
		if same(found.Keys, i.Keys) && found.Unique == i.Unique && same(found.Partial, i.Partial) && i.sameCollation(found.Collation) {
			return name
		}
	}
	return ""
}

func (i Index) sameCollation(found *locale) bool {
	if found == nil || found.Locale == "simple" {
		return i.Locale == nil
	}
	return i.Locale != nil && i.Locale.Locale == found.Locale && i.Locale.Strength == found.Strength
}

func (i Index) sameExpiry(found *int64) bool {
	if i.ExpireSeconds == 0 {
		return found == nil
	}
	return found != nil && *found == int64(i.ExpireSeconds)
}

// same reports whether two keys or filters mean the same: engines give numbers back as other types, and filters in short form.
func same(a, b bson.D) bool { return fmt.Sprint(plainly(a)) == fmt.Sprint(plainly(b)) }

func plainly(value any) any {
	document, ok := value.(bson.D)
	if !ok {
		return value
	}
	if len(document) == 1 && document[0].Key == "$eq" {
		return plainly(document[0].Value)
	}
	plain := make([]any, 0, 2*len(document))
	for _, e := range document {
		plain = append(plain, e.Key, plainly(e.Value))
	}
	return plain
}
